/** Which words of two texts are in both. */
export interface Piece {
  text: string;
  /** In both, in the first only, or in the second only. */
  side: 'both' | 'first' | 'second';
}

/** Edits beyond which two texts are taken to have nothing to line up. */
const MOST_EDITS = 1500;

/** Cuts text into words, each with the space before it, and single punctuation. */
export function words(text: string): string[] {
  return text.match(/\s*(?:[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s])|\s+$/gu) ?? [];
}

/** The shortest edit between two texts, word by word (Myers, "An O(ND) Difference Algorithm", 1986). Null where they differ too much. */
export function diff(first: string, second: string): Piece[] | null {
  const [a, b] = [words(first), words(second)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const middle = between(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  if (!middle) return null;
  const pieces: Piece[] = [];
  const add = (text: string, side: Piece['side']) => {
    const last = pieces.at(-1);
    if (last?.side === side) last.text += text;
    else pieces.push({ text, side });
  };
  for (const word of a.slice(0, head)) add(word, 'both');
  for (const { text, side } of middle) add(text, side);
  for (const word of a.slice(a.length - tail)) add(word, 'both');
  return pieces;
}

function between(a: readonly string[], b: readonly string[]): Piece[] | null {
  if (a.length + b.length === 0) return [];
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const trail: Int32Array[] = [];
  let reach = new Int32Array(2 * most + 3);
  const at = (k: number) => k + most + 1;
  for (let d = 0; d <= most; d++) {
    trail.push(reach.slice(at(-d) - 1, at(d) + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[at(k - 1)]! < reach[at(k + 1)]!);
      let x = down ? reach[at(k + 1)]! : reach[at(k - 1)]! + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) [x, y] = [x + 1, y + 1];
      reach[at(k)] = x;
      if (x >= a.length && y >= b.length) return back(a, b, trail, d);
    }
  }
  return null;
}

function back(
  a: readonly string[],
  b: readonly string[],
  trail: readonly Int32Array[],
  edits: number,
): Piece[] {
  const pieces: Piece[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = edits; d >= 0; d--) {
    const reach = (k: number) => trail[d]![k + d + 1]!;
    const k = x - y;
    const down = k === -d || (k !== d && reach(k - 1) < reach(k + 1));
    const from = down ? k + 1 : k - 1;
    const [px, py] = d === 0 ? [0, 0] : [reach(from), reach(from) - from];
    while (x > px && y > py && (d > 0 ? x > (down ? px : px + 1) : true)) {
      pieces.push({ text: a[x - 1]!, side: 'both' });
      [x, y] = [x - 1, y - 1];
    }
    if (d === 0) break;
    pieces.push(down ? { text: b[y - 1]!, side: 'second' } : { text: a[x - 1]!, side: 'first' });
    [x, y] = [px, py];
  }
  return pieces.reverse();
}
