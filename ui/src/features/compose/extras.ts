import type { Extra } from '../../gen/Extra';

/** Members of the request body that the form has no field of its own for. */
export type Members = Record<string, unknown>;

/** One of them as the form lists it. */
export interface SetExtra {
  path: string;
  value: unknown;
}

/** The value at a path with dots between members; undefined where nothing stands there. */
export function valueAt(extra: Members | undefined, path: string): unknown {
  let value: unknown = extra;
  for (const name of path.split('.')) {
    if (!isObject(value)) return undefined;
    value = value[name];
  }
  return value;
}

/** The members with this value at a path; `undefined` takes it away, and objects that hold nothing any more with it. */
export function withValue(extra: Members | undefined, path: string, value: unknown): Members | undefined {
  const [name, ...rest] = path.split('.') as [string, ...string[]];
  const out: Members = { ...extra };
  const inner = rest.length
    ? withValue(isObject(out[name]) ? out[name] : undefined, rest.join('.'), value)
    : value;
  if (inner === undefined) delete out[name];
  else out[name] = inner;
  return Object.keys(out).length ? out : undefined;
}

/** What is set, as a list: an object is opened where the API's own list has a path inside it. */
export function listExtras(extra: Members | undefined, known: readonly Pick<Extra, 'path'>[]): SetExtra[] {
  const opens = (path: string) => known.some((one) => one.path.startsWith(`${path}.`));
  const list = (members: Members, before: string): SetExtra[] =>
    Object.entries(members).flatMap(([name, value]) => {
      const path = before + name;
      return isObject(value) && opens(path) ? list(value, `${path}.`) : [{ path, value }];
    });
  return list(extra ?? {}, '');
}

/** A value as a field shows it: a string as it stands, all else as JSON. */
export function extraText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' && !readsAsJson(value) ? value : JSON.stringify(value);
}

/** What was typed, as a value of this kind; or what is wrong with it. Empty text is no value. */
export function readExtra(text: string, kind: string | undefined): { value: unknown } | { fault: string } {
  const typed = text.trim();
  if (typed === '') return { value: undefined };
  if (kind === 'string') {
    const quoted = json(typed);
    return { value: typeof quoted === 'string' ? quoted : typed };
  }
  const value =
    kind === 'number' || kind === 'integer' ? (json(typed.replace(',', '.')) ?? typed) : json(typed);
  switch (kind) {
    case 'number':
      return typeof value === 'number' ? { value } : { fault: 'a number' };
    case 'integer':
      return Number.isInteger(value) ? { value } : { fault: 'a whole number' };
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { fault: 'true or false' };
    case 'array':
      return Array.isArray(value) ? { value } : { fault: 'a JSON array, such as ["a"]' };
    case 'object':
      return isObject(value) ? { value } : { fault: 'a JSON object, such as {"a":1}' };
    default:
      return { value: value === undefined ? typed : value };
  }
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readsAsJson(text: string): boolean {
  return text.trim() === '' || json(text) !== undefined;
}
