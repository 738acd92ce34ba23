import type { FrameDetail } from '../../../gen/FrameDetail';
import { isParent } from '../tree/tree';

export interface Field {
  /** Index of its node in the head's tree. */
  node: number;
  name: string;
  value: string;
}

export interface Head {
  row: number;
  out: boolean;
  tMs: number;
  /** Request or status line, or the frame's name where there is none. */
  line: string;
  fields: Field[];
}

/** The fields of a head, from its tree: the leaves of its HTTP layer. */
export function headOf(detail: FrameDetail): Head {
  const { nodes } = detail;
  const fields: Field[] = [];
  let line = '';
  nodes.forEach((node, index) => {
    if (node.layer !== 'http-head' || isParent(nodes, index)) return;
    if (node.label === 'request line' || node.label === 'status line') line = node.value;
    else if (node.depth > 0) fields.push({ node: index, name: node.label, value: node.value });
    else line ||= node.value;
  });
  // HTTP/2 has no such line: its pseudo-fields say the same.
  const pseudo = (name: string) => fields.find((field) => field.name === name)?.value;
  line ||= [pseudo(':method'), pseudo(':path'), pseudo(':status')].filter(Boolean).join(' ');
  return { row: detail.id, out: detail.out, tMs: detail.tMs, line: line || (nodes[0]?.label ?? ''), fields };
}
