/** The keyboard map. The binding added last is asked first; one that returns `false` passes the key on. */

export type KeyHandler = (event: KeyboardEvent) => void | boolean;

interface Layer {
  bindings: ReadonlyMap<string, KeyHandler>;
  active: () => boolean;
}

export const isMac = navigator.platform.startsWith('Mac');

const layers: Layer[] = [];
let letters = true;

/** Single letters act as shortcuts (outside text fields). */
export function setLetterKeys(on: boolean): void {
  letters = on;
}

/**
 * Binds combinations such as `Mod+Enter`, `Shift+c`, `j`, `[`, `Escape`, `F6`. `Mod` is Cmd on macOS, Ctrl elsewhere.
 * Combinations without `Mod` that type something act only outside text fields. Returns the way to unbind.
 */
export function bindKeys(map: Record<string, KeyHandler>, active: () => boolean = () => true): () => void {
  const layer: Layer = {
    bindings: new Map(Object.entries(map).map(([combo, run]) => [normal(combo), run])),
    active,
  };
  layers.push(layer);
  return () => {
    const at = layers.indexOf(layer);
    if (at >= 0) layers.splice(at, 1);
  };
}

/** How people read a combination: `Mod+Enter` → "Ctrl Enter" or "⌘ Enter". */
export function keyLabel(combo: string): string[] {
  return combo.split('+').map((part) => {
    if (part === 'Mod') return isMac ? '⌘' : 'Ctrl';
    if (part === 'Escape') return 'Esc';
    return part.length === 1 ? part.toUpperCase() : part;
  });
}

/** Hangs the map on the window. Returns the way to take it off. */
export function listen(target: Window = window): () => void {
  const onKey = (event: KeyboardEvent) => dispatch(event);
  target.addEventListener('keydown', onKey);
  return () => target.removeEventListener('keydown', onKey);
}

export function dispatch(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const combo = comboOf(event);
  const plain = !combo.includes('mod+') && event.key.length === 1;
  if (plain && (!letters || inTextField(event.target))) return;
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i]!;
    const run = layer.bindings.get(combo);
    if (!run || !layer.active()) continue;
    if (run(event) === false) continue;
    event.preventDefault();
    return;
  }
}

export function inTextField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('input:not([type=checkbox]):not([type=range]), textarea, select'))
  );
}

function comboOf(event: KeyboardEvent): string {
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const key = event.key.toLowerCase();
  // Shift is part of a character already ("?"), but not of a letter or a named key.
  const shift = event.shiftKey && (key.length > 1 || key !== key.toUpperCase());
  return `${mod ? 'mod+' : ''}${event.altKey ? 'alt+' : ''}${shift ? 'shift+' : ''}${key}`;
}

function normal(combo: string): string {
  const parts = combo.toLowerCase().split('+');
  const key = parts.pop()!;
  return (
    ['mod', 'alt', 'shift']
      .filter((m) => parts.includes(m))
      .map((m) => `${m}+`)
      .join('') + key
  );
}
