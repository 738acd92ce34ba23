/** What a provider's word for the end of a reply means. */

export interface FinishWord {
  means: string;
  /** The model said all it had to say, or calls a tool: nothing to look into. */
  usual: boolean;
}

const usual = (means: string): FinishWord => ({ means, usual: true });
const unusual = (means: string): FinishWord => ({ means, usual: false });

const ENDED = usual('The model came to its end.');
const STOPPED = usual('A stop sequence came up.');
const CALLS = usual('The model waits for the results of its calls.');
const LIMIT = unusual('Cut off: the limit of output tokens was reached.');
const CONTEXT = unusual('Cut off: the context window is full.');
const FILTERED = unusual('Cut off by the provider’s content filter.');
const REFUSED = unusual('The model refused.');
const BROKEN = unusual('The provider failed while the reply ran.');

/** Words of one meaning are spelt alike once case and separators are gone: `MAX_TOKENS`, `max_tokens`. */
const WORDS: Readonly<Record<string, FinishWord>> = {
  stop: ENDED,
  endturn: ENDED,
  complete: ENDED,
  completed: ENDED,
  eosfound: ENDED,
  eos: ENDED,
  turncomplete: ENDED,
  generationcomplete: ENDED,
  stopsequence: STOPPED,
  stopstringfound: STOPPED,
  toolcalls: CALLS,
  toolcall: CALLS,
  tooluse: CALLS,
  functioncall: CALLS,
  length: LIMIT,
  maxtokens: LIMIT,
  maxoutputtokens: LIMIT,
  maxpredictedtokensreached: LIMIT,
  modellength: CONTEXT,
  contextlength: CONTEXT,
  contextlengthreached: CONTEXT,
  modelcontextwindowexceeded: CONTEXT,
  contentfilter: FILTERED,
  contentfiltered: FILTERED,
  guardrailintervened: FILTERED,
  safety: FILTERED,
  imagesafety: FILTERED,
  blocklist: FILTERED,
  prohibitedcontent: FILTERED,
  spii: unusual('Cut off: the reply seemed to hold personal data.'),
  recitation: unusual('Cut off: the reply came too close to a known text.'),
  language: unusual('The model does not take this language.'),
  modelarmor: FILTERED,
  refusal: REFUSED,
  pauseturn: unusual('The provider paused the turn: send the conversation back as it is to go on.'),
  malformedfunctioncall: unusual('The model wrote a call that cannot be read.'),
  malformedmodeloutput: unusual('The model wrote what cannot be read.'),
  malformedtooluse: unusual('The model wrote a call that cannot be read.'),
  malformedresponse: unusual('The model wrote what cannot be read.'),
  unexpectedtoolcall: unusual('The model called a tool though none was on offer.'),
  toomanytoolcalls: unusual('The model called too many tools in a row.'),
  missingthoughtsignature: unusual('A seal of the model’s reasoning was not sent back.'),
  insufficientsystemresource: unusual('Cut off: the provider ran out of resources.'),
  error: BROKEN,
  errortoxic: FILTERED,
  errorlimit: CONTEXT,
  timeout: unusual('Cut off: the provider’s time for a reply was up.'),
  failed: BROKEN,
  incomplete: unusual('Cut off before the end.'),
  cancelled: unusual('Cancelled.'),
  usercancel: unusual('Cancelled.'),
  clientcancelled: unusual('Cancelled.'),
  turndetected: unusual('Cut off: new input began another turn.'),
  interrupted: unusual('Cut off: new input began another turn.'),
  steered: unusual('Another instruction took over; the reply goes on in the next response.'),
  continuation: unusual('There is more: the provider goes on when asked with its token.'),
  load: usual('The model is loaded.'),
  unload: usual('The model is unloaded.'),
};

/** What the word means; null where nobody has said. */
export function finishWord(word: string): FinishWord | null {
  return WORDS[word.toLowerCase().replace(/[^a-z]/g, '')] ?? null;
}
