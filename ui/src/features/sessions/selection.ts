/** Which sessions are checked, with the tags each had when it was. A new map at every change. */
export type Checked = ReadonlyMap<string, readonly string[]>;

export interface Checkable {
  id: string;
  tags: readonly string[];
}

/** Checks or unchecks one. */
export function toggled(checked: Checked, session: Checkable): Checked {
  const next = new Map(checked);
  if (!next.delete(session.id)) next.set(session.id, session.tags);
  return next;
}

/** Checks all of them besides what is checked. */
export function withAll(checked: Checked, sessions: Iterable<Checkable>): Checked {
  const next = new Map(checked);
  for (const { id, tags } of sessions) next.set(id, tags);
  return next;
}

/** The stretch of the list between two rows, whichever comes first. */
export function stretch(from: number, to: number): { offset: number; limit: number } {
  const offset = Math.min(from, to);
  return { offset, limit: Math.abs(to - from) + 1 };
}

/** Tags after one was added to them or taken away; sorted, each once. */
export function retagged(tags: readonly string[], tag: string, on: boolean): string[] {
  const next = new Set(tags);
  const name = tag.trim();
  if (on && name) next.add(name);
  else next.delete(name);
  return [...next].sort();
}
