/** Leads to a turn of the composer's conversation, once it is on screen. */
export function focusTurn(index: number): void {
  // The field is there after the next paint.
  requestAnimationFrame(() => {
    const card = document.querySelectorAll<HTMLElement>('.composer .msg:not(.sys)')[index];
    card?.querySelector('textarea')?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'nearest' });
  });
}
