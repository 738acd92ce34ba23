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

/**
 * The rows to draw: indices of nodes, and for a JSON value whose members are not all of interest `-(index + 1)`, the row that stands for
 * the others. Of interest is what leads to a node of `keep`; so a token's way through the layers fits the pane, whatever else the
 * document holds. A list of one is left out for its only element.
 */
export function outline(
  nodes: readonly Node[],
  folded: ReadonlySet<number>,
  keep: ReadonlySet<number>,
  unrolled: ReadonlySet<number>,
): number[] {
  const shown: number[] = [];
  const open: { parent: number; others: number }[] = [];
  let skipBelow = Infinity;
  const close = (depth: number) => {
    while (open.length > 0 && nodes[open.at(-1)!.parent]!.depth >= depth) {
      const { parent, others } = open.pop()!;
      if (others > 0) shown.push(-(parent + 1));
    }
  };
  for (let i = 0; i < nodes.length; i++) {
    const { depth } = nodes[i]!;
    if (depth > skipBelow) continue;
    skipBelow = Infinity;
    close(depth);
    const above = open.at(-1);
    if (above && nodes[above.parent]!.depth === depth - 1 && !keep.has(i)) {
      above.others++;
      skipBelow = depth;
      continue;
    }
    if (folded.has(i)) skipBelow = depth;
    else if (narrows(nodes, i, keep) && !unrolled.has(i)) open.push({ parent: i, others: 0 });
    if (!isListOfOne(nodes, i, keep)) shown.push(i);
  }
  close(0);
  return shown;
}

/** How many children of a node `outline` leaves out. */
export function othersOf(nodes: readonly Node[], parent: number, keep: ReadonlySet<number>): number {
  return childrenOf(nodes, parent).filter((child) => !keep.has(child)).length;
}

function narrows(nodes: readonly Node[], index: number, keep: ReadonlySet<number>): boolean {
  if (nodes[index]!.layer !== 'json' || !keep.has(index)) return false;
  return childrenOf(nodes, index).some((child) => keep.has(child) && nodes[child]!.layer === 'json');
}

function isListOfOne(nodes: readonly Node[], index: number, keep: ReadonlySet<number>): boolean {
  if (!keep.has(index) || nodes[index]!.layer !== 'json') return false;
  const children = childrenOf(nodes, index);
  return children.length === 1 && nodes[children[0]!]!.label === `${nodes[index]!.label}[0]`;
}

function childrenOf(nodes: readonly Node[], parent: number): number[] {
  const { depth } = nodes[parent]!;
  const children: number[] = [];
  for (let i = parent + 1; i < nodes.length && nodes[i]!.depth > depth; i++) {
    if (nodes[i]!.depth === depth + 1) children.push(i);
  }
  return children;
}
