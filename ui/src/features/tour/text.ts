import { en } from './en';
import { zh } from './zh';

/** What every language has: the keys of the English one. */
export type TourText = typeof en;
export type Language = 'en' | 'zh-CN';

export const LANGUAGES: Readonly<Record<Language, TourText>> = { en, 'zh-CN': zh };

/** The language to begin in: the system's where the tour has it. */
export function languageOf(tags: readonly string[]): Language {
  for (const tag of tags) {
    if (/^zh\b/i.test(tag)) return 'zh-CN';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

/** `{n}` and its like filled in. */
export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
