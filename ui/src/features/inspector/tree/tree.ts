import type { Node } from '../../../gen/Node';

/** Whether a node has nodes under it. */
export function isParent(nodes: readonly Node[], index: number): boolean {
  return (nodes[index + 1]?.depth ?? 0) > nodes[index]!.depth;
}

/** Index of a node's parent, or -1. */
export function parentOf(nodes: readonly Node[], index: number): number {
  const { depth } = nodes[index]!;
  for (let i = index - 1; i >= 0; i--) if (nodes[i]!.depth < depth) return i;
  return -1;
}

/** A node and its ancestors, outermost first. */
export function pathTo(nodes: readonly Node[], index: number): number[] {
  const path: number[] = [];
  for (let i = index; i >= 0; i = parentOf(nodes, i)) path.unshift(i);
  return path;
}

/** Indices of the nodes that no folded ancestor hides. */
export function visible(nodes: readonly Node[], folded: ReadonlySet<number>): number[] {
  const shown: number[] = [];
  let hiddenBelow = Infinity;
  for (let i = 0; i < nodes.length; i++) {
    const { depth } = nodes[i]!;
    if (depth > hiddenBelow) continue;
    hiddenBelow = folded.has(i) ? depth : Infinity;
    shown.push(i);
  }
  return shown;
}

/** The deepest node that covers a byte of the window, the later one of equals; -1 where none does. */
export function innermost(nodes: readonly Node[], offset: number): number {
  let best = -1;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    if (best >= 0 && node.depth < nodes[best]!.depth) continue;
    if (node.spans.some(([start, end]) => start <= offset && offset < end)) best = i;
  }
  return best;
}

/** Bytes that a node's spans hold. */
export function bytesOf(node: Node): number {
  return node.spans.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** A range as hex offsets with the last byte included, as wide as the window needs: `a9–af`. */
export function hexRange(spans: readonly (readonly [number, number])[], digits = 2): string {
  const first = spans[0];
  const last = spans.at(-1);
  if (!first || !last) return '';
  const hex = (n: number) => n.toString(16).padStart(digits, '0');
  if (last[1] <= first[0]) return hex(first[0]);
  return last[1] - first[0] === 1 ? hex(first[0]) : `${hex(first[0])}–${hex(last[1] - 1)}`;
}

/** A node's label in few letters, for the breadcrumb. */
export function shortLabel(label: string): string {
  return label
    .replace(/^HTTP\/[\d.]+ (?=\S)/, '')
    .replace(/^SSE event$/, 'SSE')
    .replace(/^field /, '');
}

/** How a label reads: words in the interface's face, names that stand in the bytes in the monospaced one. */
export function labelParts(label: string): { words: string; name: string } {
  const field = /^(field |header |member )(.+)$/.exec(label);
  if (field) return { words: field[1]!, name: field[2]! };
  return /^[a-z_$][\w$.-]*(\[\d+\])*$|^\[\d+\]$|^"/.test(label) && !label.startsWith('chunk-')
    ? { words: '', name: label }
    : { words: label, name: '' };
}

/** A row to draw: a node, or with `others` the row that stands for so many members of the node. */
export interface OutlineRow {
  node: number;
  depth: number;
  others: number;
}

/**
 * The rows to draw. Of a JSON value that leads to a node of `keep`, only what leads there is shown, and one row that stands for its other
 * members: so a token's way through the layers fits the pane, whatever else the document holds. A list of one is left out for its only
 * element, and a string for the delta that is all of it.
 */
export function outline(
  nodes: readonly Node[],
  folded: ReadonlySet<number>,
  keep: ReadonlySet<number>,
  unrolled: ReadonlySet<number>,
): OutlineRow[] {
  const shown: OutlineRow[] = [];
  /** Nodes around the current one: whether they show only some members, and how much deeper than drawn they stand. */
  const open: { node: number; narrow: boolean; others: number; lift: number }[] = [];
  let skipBelow = Infinity;
  const close = (depth: number) => {
    while (open.length > 0 && nodes[open.at(-1)!.node]!.depth >= depth) {
      const { node, others, lift } = open.pop()!;
      if (others > 0) shown.push({ node, depth: nodes[node]!.depth - lift + 1, others });
    }
  };
  for (let i = 0; i < nodes.length; i++) {
    const { depth } = nodes[i]!;
    if (depth > skipBelow) continue;
    skipBelow = Infinity;
    close(depth);
    const above = open.at(-1);
    if (above?.narrow && !keep.has(i)) {
      above.others++;
      skipBelow = depth;
      continue;
    }
    const left = above?.lift ?? 0;
    const out = isTold(nodes, i, keep);
    if (!out) shown.push({ node: i, depth: depth - left, others: 0 });
    if (folded.has(i)) skipBelow = depth;
    else
      open.push({
        node: i,
        narrow: narrows(nodes, i, keep) && !unrolled.has(i),
        others: 0,
        lift: left + (out ? 1 : 0),
      });
  }
  close(0);
  return shown;
}

function narrows(nodes: readonly Node[], index: number, keep: ReadonlySet<number>): boolean {
  if (nodes[index]!.layer !== 'json' || !keep.has(index)) return false;
  return childrenOf(nodes, index).some((child) => keep.has(child) && nodes[child]!.layer === 'json');
}

/** Whether a node's only child tells all of it: `choices` by `choices[0]`, a string by its delta. */
function isTold(nodes: readonly Node[], index: number, keep: ReadonlySet<number>): boolean {
  if (!keep.has(index) || nodes[index]!.layer !== 'json') return false;
  const [child, ...rest] = childrenOf(nodes, index).map((at) => nodes[at]!);
  if (!child || rest.length > 0) return false;
  return child.layer !== 'json' || child.label === `${nodes[index]!.label}[0]`;
}

function childrenOf(nodes: readonly Node[], parent: number): number[] {
  const { depth } = nodes[parent]!;
  const children: number[] = [];
  for (let i = parent + 1; i < nodes.length && nodes[i]!.depth > depth; i++) {
    if (nodes[i]!.depth === depth + 1) children.push(i);
  }
  return children;
}
