/** What canvases need of the page: the theme's colours, and a backing store as fine as the screen. */

/** The layers that have a hue, as `data-ly` and the tokens name them. */
export const LAYERS = [
  'http-head',
  'chunk',
  'h2',
  'sse',
  'eventstream',
  'ws',
  'json',
  'text-delta',
  'reasoning',
  'tool-call',
  'usage',
  'control',
  'error',
] as const;
export type LayerName = (typeof LAYERS)[number];

export interface LayerColours {
  text: string;
  fill: string;
  tint: string;
  line: string;
}

export interface Palette {
  layer: (name: string) => LayerColours;
  bg1: string;
  bg4: string;
  line1: string;
  line3: string;
  text1: string;
  text2: string;
  text3: string;
  warn: string;
  mono: string;
}

let cached: { theme: string | undefined; palette: Palette } | null = null;

/** The colours in force; read from the tokens once a theme. */
export function palette(): Palette {
  const root = document.documentElement;
  const theme = root.dataset.theme;
  if (cached && cached.theme === theme) return cached.palette;
  const style = getComputedStyle(root);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const layers = new Map<string, LayerColours>(
    LAYERS.map((name) => [
      name,
      {
        text: of(`--ly-${name}`),
        fill: of(`--ly-${name}-fill`),
        tint: of(`--ly-${name}-bg`),
        line: of(`--ly-${name}-line`),
      },
    ]),
  );
  const plain = { text: of('--text-2'), fill: of('--line-3'), tint: 'transparent', line: of('--line-3') };
  const made: Palette = {
    layer: (name) => layers.get(name) ?? plain,
    bg1: of('--bg-1'),
    bg4: of('--bg-4'),
    line1: of('--line-1'),
    line3: of('--line-3'),
    text1: of('--text-1'),
    text2: of('--text-2'),
    text3: of('--text-3'),
    warn: of('--st-warn-fill'),
    mono: of('--font-mono') || 'monospace',
  };
  cached = { theme, palette: made };
  return made;
}

/** Calls `redraw` when the theme changed or the fonts came. Returns the way to stop. */
export function onAppearance(redraw: () => void): () => void {
  const observer = new MutationObserver(redraw);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  document.fonts?.addEventListener('loadingdone', redraw);
  return () => {
    observer.disconnect();
    document.fonts?.removeEventListener('loadingdone', redraw);
  };
}

/** Gives a canvas the size `width` × `height` CSS px at the screen's resolution; its context then draws in CSS px. */
export function fit(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const w = Math.round(width * ratio);
  const h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
