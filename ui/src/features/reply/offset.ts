/** From the screen to the source of a block and back, by the `data-at` of each run. */

/** Which character of which block is under the pointer; null where no text of the reply is. */
export function sourceAt(event: MouseEvent): { block: number; offset: number } | null {
  const target = event.target as Element;
  const span = target.closest<HTMLElement>('[data-at]');
  const block = target.closest<HTMLElement>('[data-block]');
  if (!span || !block) return null;
  const caret = caretAt(event.clientX, event.clientY);
  let within = 0;
  if (caret && span.contains(caret.node)) {
    const text = caret.node.textContent ?? '';
    within = caret.offset;
    // A caret stands between characters: take the one under the pointer.
    if (within > 0 && (within >= text.length || pointerBefore(caret.node, within, event))) within--;
  }
  return { block: Number(block.dataset.block), offset: Number(span.dataset.at) + within };
}

function pointerBefore(node: Node, offset: number, event: MouseEvent): boolean {
  const range = document.createRange();
  range.setStart(node, offset - 1);
  range.setEnd(node, offset);
  return [...range.getClientRects()].some(
    (r) =>
      r.left <= event.clientX &&
      event.clientX < r.right &&
      r.top <= event.clientY &&
      event.clientY <= r.bottom,
  );
}

function caretAt(x: number, y: number): { node: Node; offset: number } | null {
  if ('caretPositionFromPoint' in document) {
    const at = document.caretPositionFromPoint(x, y);
    return at ? { node: at.offsetNode, offset: at.offset } : null;
  }
  // WebKit's own name for it.
  const range = (document as Document).caretRangeFromPoint?.(x, y);
  return range ? { node: range.startContainer, offset: range.startOffset } : null;
}

/** DOM ranges that show `[start, end)` of a block's source, as far as it is drawn. */
export function rangesOf(block: Element, start: number, end: number): Range[] {
  const ranges: Range[] = [];
  const pages = [...block.querySelectorAll<HTMLElement>('.page')].filter(
    (page) => Number(page.dataset.start) < end && start < Number(page.dataset.end),
  );
  for (const page of pages) {
    for (const span of page.querySelectorAll<HTMLElement>('[data-at]')) {
      const at = Number(span.dataset.at);
      const node = span.firstChild;
      const length = node?.textContent?.length ?? 0;
      if (!node || at >= end || at + length <= start) continue;
      const range = document.createRange();
      range.setStart(node, Math.max(0, start - at));
      range.setEnd(node, Math.min(length, end - at));
      ranges.push(range);
    }
  }
  return ranges;
}
