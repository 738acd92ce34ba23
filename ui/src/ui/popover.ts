/**
 * Keeps a `position: fixed` box at an anchor: below it, or above where there is no room; as wide at least.
 * Returns an attachment for the box.
 */
export function anchored(anchor: () => HTMLElement | undefined, align: 'start' | 'end' = 'start') {
  return (box: HTMLElement) => {
    const place = () => {
      const to = anchor()?.getBoundingClientRect();
      if (!to) return;
      box.style.minWidth = `${to.width}px`;
      const below = innerHeight - to.bottom - 8;
      const above = to.top - 8;
      const up = below < Math.min(box.scrollHeight, 240) && above > below;
      box.style.maxHeight = `${Math.min(up ? above : below, 360)}px`;
      box.style.top = up ? '' : `${to.bottom + 4}px`;
      box.style.bottom = up ? `${innerHeight - to.top + 4}px` : '';
      const left = align === 'start' ? to.left : to.right - box.offsetWidth;
      box.style.left = `${Math.max(4, Math.min(left, innerWidth - box.offsetWidth - 4))}px`;
    };
    place();
    const observer = new ResizeObserver(place);
    observer.observe(box);
    addEventListener('resize', place);
    addEventListener('scroll', place, true);
    return () => {
      observer.disconnect();
      removeEventListener('resize', place);
      removeEventListener('scroll', place, true);
    };
  };
}

/** Calls `close` when the pointer goes down or focus moves outside all the given elements. */
export function dismissable(inside: () => (HTMLElement | undefined)[], close: () => void) {
  return () => {
    const outside = (event: Event) => {
      const target = event.target as Node;
      if (!inside().some((element) => element?.contains(target))) close();
    };
    document.addEventListener('pointerdown', outside, true);
    document.addEventListener('focusin', outside, true);
    return () => {
      document.removeEventListener('pointerdown', outside, true);
      document.removeEventListener('focusin', outside, true);
    };
  };
}
