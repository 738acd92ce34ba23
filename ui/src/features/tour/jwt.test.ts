import { describe, expect, it } from 'vitest';
import { EXAMPLE, standing, takeApart, type Jwt } from './jwt';

const encode = (value: unknown) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const token = (claims: unknown, header: unknown = { alg: 'HS256' }) =>
  `${encode(header)}.${encode(claims)}.AAAA`;
const read = (text: string) => takeApart(text) as Jwt;

describe('takeApart', () => {
  it('reads the example of RFC 7519 §3.1', () => {
    const jwt = read(EXAMPLE);
    expect(jwt.header).toEqual({ typ: 'JWT', alg: 'HS256' });
    expect(jwt.claims).toEqual({ iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true });
    expect(jwt.signature).toBe(32);
    expect(new Date(jwt.expiresMs!).toISOString()).toBe('2011-03-22T18:43:00.000Z');
  });

  it('passes over the scheme and white space, and reads UTF-8', () => {
    expect(read(`  Bearer ${token({ sub: '世界' })}\n`).claims).toEqual({ sub: '世界' });
  });

  it('takes a token without a signature for what it is', () => {
    expect(read(`${encode({ alg: 'none' })}.${encode({})}.`).signature).toBe(0);
  });

  it('says what is wrong', () => {
    expect(takeApart(' ')).toEqual({ why: 'empty' });
    expect(takeApart('sk-1234')).toEqual({ why: 'parts', n: 1 });
    expect(takeApart('a.b.c.d.e')).toEqual({ why: 'encrypted' });
    expect(takeApart('.e30.')).toEqual({ why: 'base64', part: 'header' });
    expect(takeApart(`${encode({})}.e3+0.AA`)).toEqual({ why: 'base64', part: 'claims' });
    expect(takeApart(`${encode({})}.e30=.AA`)).toEqual({ why: 'base64', part: 'claims' });
    expect(takeApart(`${encode({})}.e30.A`)).toEqual({ why: 'base64', part: 'signature' });
    expect(takeApart(`${encode([1])}.e30.AA`)).toEqual({ why: 'json', part: 'header' });
    expect(takeApart(`${encode({})}.gICA.AA`)).toEqual({ why: 'json', part: 'claims' });
    expect(takeApart(token({ exp: 'soon' }))).toEqual({ why: 'number', claim: 'exp' });
  });
});

describe('standing', () => {
  it('refuses at exp and after it, and before nbf', () => {
    const jwt = read(token({ exp: 100, nbf: 50.5 }));
    expect(standing(jwt, 50_499)).toBe('early');
    expect(standing(jwt, 50_500)).toBe('valid');
    expect(standing(jwt, 99_999)).toBe('valid');
    expect(standing(jwt, 100_000)).toBe('expired');
    expect(standing(read(token({})), 1)).toBe('forever');
  });
});
