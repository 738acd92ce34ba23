import type { CodeSample } from '../../gen/CodeSample';
import type { Draft } from '../../gen/Draft';
import type { KeptIn } from '../../gen/KeptIn';
import type { KeyInfo } from '../../gen/KeyInfo';
import type { RateLimit } from '../../gen/RateLimit';

/** What a cURL command asks for. */
export interface Imported {
  draft: Draft;
  /** The last characters of a key that stood in it. */
  key: string | null;
  notes: string[];
}

/** Commands that the list of the engine does not hold yet. */
export interface Coming {
  import_curl: { args: { text: string }; result: Imported };
  keep_found_key: { args: { provider: string; keep: KeptIn }; result: KeyInfo };
  code: { args: { draft: Draft }; result: CodeSample[] };
}

/** Facts of an update that the engine does not send yet. */
export interface ComingUpdate {
  requestId?: string | null;
  limits?: RateLimit[] | null;
}
