import type { Result } from '../../lib/ipc';
import { rangesOf } from './offset';

/**
 * Marks the text of the selected row by boxes laid under it, so that no rendered text has to change. `place` is read
 * reactively; `reveal` says whether to bring the text into view.
 */
export function highlight(place: () => Result<'place'>, reveal: () => boolean, onreveal: () => void) {
  return (content: HTMLElement) => {
    const layer = document.createElement('div');
    layer.className = 'marks';
    content.prepend(layer);

    const draw = (): DOMRect | null => {
      const at = place();
      const block = at && content.querySelector(`[data-block="${at.block}"]`);
      layer.replaceChildren();
      if (!at || !block) return null;
      const origin = content.getBoundingClientRect();
      let first: DOMRect | null = null;
      for (const range of rangesOf(block, at.start, at.end)) {
        trim(range);
        for (const rect of range.getClientRects()) {
          if (rect.width < 0.5) continue;
          first ??= rect;
          const box = document.createElement('i');
          box.style.cssText = `left:${rect.left - origin.left}px;top:${rect.top - origin.top}px;width:${rect.width}px;height:${rect.height}px`;
          layer.append(box);
        }
      }
      return first;
    };

    let frame = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => draw());
    });
    observer.observe(content);

    $effect(() => {
      if (!place()) {
        layer.replaceChildren();
        return;
      }
      const moving = reveal();
      // After the page that holds it has been drawn.
      const wait = requestAnimationFrame(() => {
        const rect = draw();
        const view = content.parentElement!;
        const frame = view.getBoundingClientRect();
        if (!rect || !moving || (rect.top >= frame.top && rect.bottom <= frame.bottom)) return;
        onreveal();
        view.scrollTop += rect.top - frame.top - view.clientHeight / 2;
      });
      return () => cancelAnimationFrame(wait);
    });

    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      layer.remove();
    };
  };
}

/** The space before a word belongs to its delta, but a box around it reads badly. */
function trim(range: Range): void {
  const text = range.toString();
  if (!text.trim()) return;
  range.setStart(range.startContainer, range.startOffset + text.length - text.trimStart().length);
  range.setEnd(range.endContainer, range.endOffset - (text.length - text.trimEnd().length));
}
