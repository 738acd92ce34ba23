import type { Params } from '../../gen/Params';
import { extraText } from './extras';

/** A cell of the parameters grid: how a parameter is written and read. */
export interface ParamCell {
  name: string;
  hint: string;
  read: (params: Params) => string;
  /** The parameters with this text in place, or what is wrong with it. Empty text unsets. */
  write: (params: Params, text: string) => Params | string;
}

export const PARAM_CELLS: readonly ParamCell[] = [
  numberCell('temperature', 'temperature', 0, 2, false),
  numberCell('top_p', 'topP', 0, 1, false),
  numberCell('max_tokens', 'maxTokens', 1, Number.MAX_SAFE_INTEGER, true),
  numberCell('seed', 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true),
  textCell('reasoning', 'reasoning', 'low, medium, high, or what the API takes'),
  textCell('tool_choice', 'toolChoice', 'auto, none, required, or a tool’s name'),
  {
    name: 'usage',
    hint: 'Asks for usage in the stream: include or omit',
    read: ({ usage }) => (usage === undefined ? '' : usage ? 'include' : 'omit'),
    write: (params, text) => {
      if (text === '') return without(params, 'usage');
      if (!/^(include|omit)$/.test(text)) return 'include or omit';
      return { ...params, usage: text === 'include' };
    },
  },
  {
    name: 'stop',
    hint: 'Sequences that end the reply, between commas; \\n for a line end',
    read: ({ stop }) => (stop ?? []).map((s) => s.replaceAll('\n', '\\n')).join(','),
    write: (params, text) => {
      if (text === '') return without(params, 'stop');
      return { ...params, stop: text.split(',').map((s) => s.replaceAll('\\n', '\n')) };
    },
  },
];

/** Those that are set, in one line. */
export function paramSummary(params: Params): string {
  const set = [
    ...PARAM_CELLS.map(({ name, read }) => [name, read(params)] as const).filter(([, text]) => text),
    ...Object.entries(params.extra ?? {}).map(([name, value]) => [name, extraText(value)] as const),
  ];
  if (set.length === 0) return 'Parameters: none set';
  const shown = set.slice(0, 2).map(([name, text]) => `${name} ${text}`);
  return shown.join(' · ') + (set.length > 2 ? ` · ${set.length - 2} more` : '');
}

function numberCell(
  name: string,
  key: 'temperature' | 'topP' | 'maxTokens' | 'seed',
  min: number,
  max: number,
  whole: boolean,
): ParamCell {
  const range = whole ? (min === 1 ? 'a whole number from 1' : 'a whole number') : `${min} to ${max}`;
  return {
    name,
    hint: range,
    read: (params) => params[key]?.toString() ?? '',
    write: (params, text) => {
      if (text === '') return without(params, key);
      const value = Number(text.replace(',', '.'));
      if (!Number.isFinite(value) || value < min || value > max || (whole && !Number.isInteger(value)))
        return range;
      return { ...params, [key]: value };
    },
  };
}

function textCell(name: string, key: 'reasoning' | 'toolChoice', hint: string): ParamCell {
  return {
    name,
    hint,
    read: (params) => params[key] ?? '',
    write: (params, text) => (text === '' ? without(params, key) : { ...params, [key]: text }),
  };
}

function without(params: Params, key: keyof Params): Params {
  const rest = { ...params };
  delete rest[key];
  return rest;
}
