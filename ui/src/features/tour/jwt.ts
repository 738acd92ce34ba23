/** A JSON Web Token taken apart (RFC 7519, RFC 7515 §3.1). Nothing is verified, kept or sent. */

export type Part = 'header' | 'claims' | 'signature';

export interface Jwt {
  header: Readonly<Record<string, unknown>>;
  claims: Readonly<Record<string, unknown>>;
  /** Bytes of the signature; 0 where there is none (`alg: none`). */
  signature: number;
  /** `exp`, ms since 1970; null where the token does not say. */
  expiresMs: number | null;
  /** `nbf`, ms since 1970. */
  notBeforeMs: number | null;
}

/** Why a text is no JWT that can be read. */
export type JwtFault =
  | { why: 'empty' | 'encrypted' }
  | { why: 'parts'; n: number }
  | { why: 'base64' | 'json'; part: Part }
  | { why: 'number'; claim: string };

/** The example of RFC 7519 §3.1; it expired on 22 March 2011. */
export const EXAMPLE =
  'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';

/** The token's parts, or what is wrong with it. A leading `Bearer` is passed over. */
export function takeApart(text: string): Jwt | JwtFault {
  const token = text.trim().replace(/^bearer\s+/i, '');
  if (!token) return { why: 'empty' };
  const parts = token.split('.');
  // RFC 7516 §3.1: an encrypted token has five parts, and its claims are ciphertext.
  if (parts.length === 5) return { why: 'encrypted' };
  if (parts.length !== 3) return { why: 'parts', n: parts.length };
  const [header, claims, signature] = parts.map(unbase64url);
  if (!header || header.length === 0) return { why: 'base64', part: 'header' };
  if (!claims || claims.length === 0) return { why: 'base64', part: 'claims' };
  if (!signature) return { why: 'base64', part: 'signature' };
  const head = object(header);
  if (!head) return { why: 'json', part: 'header' };
  const body = object(claims);
  if (!body) return { why: 'json', part: 'claims' };
  for (const claim of ['exp', 'nbf', 'iat']) {
    // NumericDate, RFC 7519 §2: seconds, perhaps with a fraction.
    if (claim in body && !Number.isFinite(body[claim])) return { why: 'number', claim };
  }
  const ms = (claim: string) => (claim in body ? Number(body[claim]) * 1000 : null);
  return {
    header: head,
    claims: body,
    signature: signature.length,
    expiresMs: ms('exp'),
    notBeforeMs: ms('nbf'),
  };
}

/** Where a token stands in time: at `exp` and after it must not be accepted (RFC 7519 §4.1.4). */
export function standing(jwt: Jwt, nowMs: number): 'expired' | 'early' | 'valid' | 'forever' {
  if (jwt.expiresMs !== null && nowMs >= jwt.expiresMs) return 'expired';
  if (jwt.notBeforeMs !== null && nowMs < jwt.notBeforeMs) return 'early';
  return jwt.expiresMs === null ? 'forever' : 'valid';
}

/** base64url without padding (RFC 7515 §2); null where it is not that. */
function unbase64url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

function object(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
