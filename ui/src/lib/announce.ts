/** Says `text` to screen readers, politely. For turning points only: first token, finished, cut. */
export function announce(text: string): void {
  const region = document.getElementById('live-region');
  if (region) region.textContent = text;
}
