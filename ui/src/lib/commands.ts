/** The palette's commands: every view adds its own while it is on screen. */
export interface Command {
  id: string;
  title: string;
  /** Where it belongs, shown before the title. */
  group: string;
  /** Combination as in `bindKeys`, shown beside it; binding it is the view's own business. */
  keys?: string;
  run: () => void;
}

const sources = new Set<() => readonly Command[]>();

/** Adds commands; they are read anew each time the palette opens. Returns the way to remove them. */
export function registerCommands(source: () => readonly Command[]): () => void {
  sources.add(source);
  return () => sources.delete(source);
}

export function allCommands(): Command[] {
  return [...sources].flatMap((source) => source());
}
