import { expect, it } from 'vitest';
import type { Node } from '../../../gen/Node';
import { hexRange, innermost, labelParts, outline, parentOf, pathTo, shortLabel, visible } from './tree';

const node = (depth: number, ...spans: [number, number][]): Node => ({
  depth,
  label: `n${depth}`,
  value: '',
  layer: 'json',
  spans,
});
//            0              1              2               3               4                        5
const NODES = [
  node(0, [0, 206]),
  node(1, [0, 4]),
  node(1, [4, 204]),
  node(2, [4, 203]),
  node(3, [10, 50], [60, 80]),
  node(1, [204, 206]),
];

it('walks up', () => {
  expect(parentOf(NODES, 4)).toBe(3);
  expect(parentOf(NODES, 5)).toBe(0);
  expect(pathTo(NODES, 4)).toEqual([0, 2, 3, 4]);
});

it('hides what is under a folded node, and nothing else', () => {
  expect(visible(NODES, new Set())).toEqual([0, 1, 2, 3, 4, 5]);
  expect(visible(NODES, new Set([2]))).toEqual([0, 1, 2, 5]);
  expect(visible(NODES, new Set([0, 2]))).toEqual([0]);
});

it('finds the deepest node of a byte, also between its spans', () => {
  expect(innermost(NODES, 2)).toBe(1);
  expect(innermost(NODES, 20)).toBe(4);
  expect(innermost(NODES, 55)).toBe(3);
  expect(innermost(NODES, 205)).toBe(5);
  expect(innermost(NODES, 300)).toBe(-1);
});

it('writes ranges and labels as the design does', () => {
  expect(hexRange([[0xa9, 0xb0]])).toBe('a9–af');
  expect(hexRange([[0, 4]], 4)).toBe('0000–0003');
  expect(hexRange([[9, 10]])).toBe('09');
  expect(hexRange([])).toBe('');
  expect(shortLabel('HTTP/1.1 chunk #116')).toBe('chunk #116');
  expect(shortLabel('SSE event')).toBe('SSE');
  expect(labelParts('field data')).toEqual({ words: 'field ', name: 'data' });
  expect(labelParts('choices[0]').name).toBe('choices[0]');
  expect(labelParts('chunk-size').words).toBe('chunk-size');
});

it('shows the way to a value, and one row for what stands beside it', () => {
  const labels = [
    'chunk',
    'JSON',
    'id',
    'choices',
    'choices[0]',
    'index',
    'delta',
    'content',
    'word',
    'model',
  ];
  const depths = [0, 1, 2, 2, 3, 4, 4, 5, 6, 2];
  const layers: Record<string, string> = { chunk: 'chunk', word: 'text-delta' };
  const nodes = labels.map((label, i) => ({ ...node(depths[i]!), label, layer: layers[label] ?? 'json' }));
  const keep = new Set(pathTo(nodes, 8));
  const drawn = (folded: number[], unrolled: number[]) =>
    outline(nodes, new Set(folded), keep, new Set(unrolled)).map(
      ({ node, depth, others }) => `${depth} ${others ? `${others} more in ` : ''}${labels[node]}`,
    );
  expect(drawn([], [])).toEqual([
    '0 chunk',
    '1 JSON',
    '2 choices[0]',
    '3 delta',
    '4 word',
    '3 1 more in choices[0]',
    '2 2 more in JSON',
  ]);
  expect(drawn([], [1, 4])).toEqual([
    '0 chunk',
    '1 JSON',
    '2 id',
    '2 choices[0]',
    '3 index',
    '3 delta',
    '4 word',
    '2 model',
  ]);
  expect(drawn([1], [])).toEqual(['0 chunk', '1 JSON']);
  expect(outline(nodes, new Set(), new Set(pathTo(nodes, 1)), new Set())).toHaveLength(nodes.length);
});
