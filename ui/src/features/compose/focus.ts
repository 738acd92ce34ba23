/** Leads to a turn of the composer's conversation, once it is on screen; not where the focus has gone elsewhere by then. */
export function focusTurn(index: number): void {
  const before = document.activeElement;
  // The field is there after the next paint. On a busy machine that is late: somebody may be typing in another one.
  requestAnimationFrame(() => {
    const now = document.activeElement;
    if (now !== before && now !== document.body) return;
    const card = document.querySelectorAll<HTMLElement>('.composer .msg:not(.sys)')[index];
    card?.querySelector('textarea')?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'nearest' });
  });
}
