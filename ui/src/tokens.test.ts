import { expect, it } from 'vitest';
import css from './tokens.css?raw';

/** Custom properties of a theme's block. */
function theme(name: 'dark' | 'light'): Map<string, string> {
  const block = new RegExp(`data-theme=['"]${name}['"]\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? '';
  return new Map([...block.matchAll(/(--[\w-]+): (#[0-9a-f]{6});/g)].map(([, key, value]) => [key!, value!]));
}

/** Relative luminance (WCAG 2.2). */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

for (const name of ['dark', 'light'] as const) {
  const of = theme(name);
  const value = (key: string) => of.get(key) ?? '#000000';
  const hues = [...of.keys()].filter((key) => /^--(ly|st)-/.test(key) && !/-(fill|bg|line)$/.test(key));

  it(`${name}: text and layer names are readable on every surface and on their own tint`, () => {
    expect(hues.length).toBeGreaterThan(12);
    const low: string[] = [];
    for (const fore of ['--text-1', '--text-2', '--text-3', ...hues]) {
      const tint = of.has(`${fore}-bg`) ? [`${fore}-bg`] : [];
      for (const back of ['--bg-1', '--bg-2', '--bg-3', '--bg-4', ...tint]) {
        const ratio = contrast(value(fore), value(back));
        if (ratio < 4.5) low.push(`${fore} on ${back}: ${ratio.toFixed(2)}`);
      }
    }
    expect(low).toEqual([]);
  });

  it(`${name}: fills, ticks and control edges stand out`, () => {
    const low: string[] = [];
    for (const fore of ['--line-3', ...hues.map((hue) => `${hue}-fill`)]) {
      for (const back of ['--bg-1', '--bg-2', '--bg-3']) {
        const ratio = contrast(value(fore), value(back));
        if (ratio < 3) low.push(`${fore} on ${back}: ${ratio.toFixed(2)}`);
      }
    }
    expect(low).toEqual([]);
  });
}
