/** Moves focus to the next pane: the regions that carry `data-pane`, in document order. */
export function nextPane(step: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].filter(
    (pane) => pane.offsetParent,
  );
  if (panes.length === 0) return;
  const at = panes.findIndex((pane) => pane.contains(document.activeElement));
  const pane = panes[(at < 0 ? (step > 0 ? 0 : panes.length - 1) : at + step + panes.length) % panes.length]!;
  const inside = pane.querySelector<HTMLElement>(
    'input, textarea, button:not([tabindex="-1"]):not([disabled]), [tabindex="0"]:not([role="separator"])',
  );
  (inside ?? pane).focus();
}
