import type { FrameRow } from '../../gen/FrameRow';

/** Finds the frame that a sentence speaks of among those that have come. */
export type Mark = (rows: readonly FrameRow[]) => FrameRow | undefined;

const first =
  (test: (row: FrameRow) => boolean): Mark =>
  (rows) =>
    rows.find(test);
const last =
  (test: (row: FrameRow) => boolean): Mark =>
  (rows) =>
    [...rows].reverse().find(test);

const isEvent = (row: FrameRow) =>
  !row.out && row.layer === 'sse' && row.kind !== 'comment' && row.kind !== 'retry';
const isSocket = (row: FrameRow) => row.layer === 'ws';
const isNamed = (row: FrameRow, name: string) => isSocket(row) && new RegExp(`^${name}\\b`).test(row.summary);
const isMessage = (row: FrameRow) => isSocket(row) && !/^(ping|pong|close)\b/.test(row.summary);

export const requestHead = first((row) => row.out && row.kind === 'head');
export const requestBody = first((row) => row.out && row.layer === 'body');
export const responseHead = first((row) => !row.out && row.kind === 'head');
export const responseBody = first((row) => !row.out && row.layer === 'body');
export const firstEvent = first(isEvent);
export const lastEvent = last(isEvent);
export const firstText = first((row) => !row.out && row.kind === 'text');
export const lastText = last((row) => !row.out && row.kind === 'text');
export const lastIn = last((row) => !row.out);
export const endMarker = last((row) => isEvent(row) && row.summary.includes('[DONE]'));
export const retryField = first((row) => row.kind === 'retry');
export const messageOut = first((row) => row.out && isMessage(row));
export const messageIn = first((row) => !row.out && isMessage(row));
export const pingOut = first((row) => row.out && isNamed(row, 'ping'));
export const pongIn = first((row) => !row.out && isNamed(row, 'pong'));
export const closeOut = first((row) => row.out && isNamed(row, 'close'));
export const closeIn = first((row) => !row.out && isNamed(row, 'close'));

/** Events that have come. */
export const events = (rows: readonly FrameRow[]): number => rows.filter(isEvent).length;
