import type { Draft } from '../../gen/Draft';
import type { RateLimit } from '../../gen/RateLimit';

/** The request as code. */
export interface CodeSample {
  id: string;
  name: string;
  /** As code blocks name it. */
  language: string;
  text: string;
}

/** What a cURL command asks for. */
export interface Imported {
  draft: Draft;
  key: string | null;
  notes: string[];
}

/** Commands that the list of the engine does not hold yet. */
export interface Coming {
  import_curl: { args: { text: string }; result: Imported };
  code: { args: { draft: Draft }; result: CodeSample[] };
}

/** Facts of an update that the engine does not send yet. */
export interface ComingUpdate {
  requestId?: string | null;
  limits?: RateLimit[] | null;
}
