import type { ConsoleDraft } from '../../gen/ConsoleDraft';
import type { ConsoleMode } from '../../gen/ConsoleMode';
import type { ConsoleRule } from '../../gen/ConsoleRule';
import type { MessageForm } from '../../gen/MessageForm';

/** A stream of the Lab that ends three times, asks to be asked for again after 2 s, and at last says that there is no more. */
export const LAB_STREAM = '{lab}/sse?count=24&each=8&interval_ms=300&retry_ms=2000';
/** The Lab's echo. */
export const LAB_ECHO = '{lab}/echo/ws';

/** A message that is kept to be sent again. */
export interface SavedMessage {
  form: MessageForm;
  text: string;
}

/** What a console asks at first: the built-in Lab, and nothing beyond the standard. */
export function newConsole(mode: ConsoleMode): ConsoleDraft {
  return {
    mode,
    url: mode === 'sse' ? LAB_STREAM : LAB_ECHO,
    method: '',
    headers: [],
    body: '',
    key: '',
    http: 'auto',
    insecure: false,
    lastEventId: '',
    reconnect: true,
    delayMs: 3000,
    maxReconnects: null,
    retryOn: '',
    backoffSeconds: 0,
    silenceSeconds: 0,
    subprotocols: [],
    deflate: false,
    echo: false,
    rules: [],
  };
}

/** What was kept of a draft, with everything it lacks as in a new one; null where it is none. */
export function readConsole(kept: unknown, mode: ConsoleMode): ConsoleDraft | null {
  if (typeof kept !== 'object' || kept === null) return null;
  const blank = newConsole(mode);
  const given = kept as Record<string, unknown>;
  const draft = { ...blank } as Record<string, unknown>;
  for (const [name, value] of Object.entries(blank)) {
    const like = given[name];
    const fits = value === null ? like === null || typeof like === 'number' : typeof like === typeof value;
    if (like !== undefined && fits && Array.isArray(like) === Array.isArray(value)) draft[name] = like;
  }
  return { ...(draft as unknown as ConsoleDraft), mode };
}

/** A rule that holds nowhere yet. */
export function newRule(): ConsoleRule {
  return { on: true, how: 'contains', when: '', reply: '' };
}

/** What goes beyond the standard in a draft, a few words each. */
export function beyond(draft: ConsoleDraft): string[] {
  const words: string[] = [];
  if (draft.retryOn.trim()) words.push(`asks again after ${draft.retryOn.trim()}`);
  if (draft.backoffSeconds > 0) words.push(`waits up to ${draft.backoffSeconds} s`);
  if (draft.silenceSeconds > 0) words.push(`gives up after ${draft.silenceSeconds} s of silence`);
  return words;
}
