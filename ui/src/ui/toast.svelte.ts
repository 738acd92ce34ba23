export interface ToastItem {
  id: number;
  text: string;
  tone: 'plain' | 'err';
  action?: { label: string; run: () => void };
}

const LIFE_MS = 8000;
let items = $state.raw<readonly ToastItem[]>([]);
let next = 0;

/** What is on screen now. */
export const toasts = {
  get items(): readonly ToastItem[] {
    return items;
  },
};

/** Shows a line at the bottom, with one action at most, e.g. Undo. */
export function toast(text: string, more: Partial<Pick<ToastItem, 'tone' | 'action'>> = {}): void {
  const item: ToastItem = { id: next++, text, tone: 'plain', ...more };
  // What is said again takes the place of its first saying: a key held down fills no stack.
  items = [...items.filter((one) => one.text !== text || one.action).slice(-2), item];
  setTimeout(() => dismissToast(item.id), LIFE_MS);
}

export function dismissToast(id: number): void {
  items = items.filter((item) => item.id !== id);
}
