/** Arrow keys, Home and End move focus among the matching children and choose the one they reach. */
export function roving(selector: string, choose = true): (root: HTMLElement) => () => void {
  return (root) => {
    const onKey = (event: KeyboardEvent) => {
      const items = [...root.querySelectorAll<HTMLElement>(selector)].filter((item) => item.offsetParent);
      const at = items.indexOf(document.activeElement as HTMLElement);
      if (at < 0) return;
      const to = {
        ArrowRight: at + 1,
        ArrowDown: at + 1,
        ArrowLeft: at - 1,
        ArrowUp: at - 1,
        Home: 0,
        End: items.length - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      const item = items[(to + items.length) % items.length]!;
      item.focus();
      if (choose) item.click();
    };
    root.addEventListener('keydown', onKey);
    return () => root.removeEventListener('keydown', onKey);
  };
}
