import { expect, it } from 'vitest';
import { copyForm } from './copy';

const bytes = (text: string) => new TextEncoder().encode(text);

it('copies bytes as text, hex, Base64 and a C array', () => {
  expect(copyForm(bytes('né'), 'text')).toBe('né');
  expect(copyForm(bytes('né'), 'hex')).toBe('6e c3 a9');
  expect(copyForm(bytes('né'), 'base64')).toBe('bsOp');
  expect(copyForm(bytes('né'), 'c')).toBe('const unsigned char bytes[3] = {\n  0x6e, 0xc3, 0xa9\n};\n');
});

it('keeps a byte order mark, and shows what is no UTF-8', () => {
  expect(copyForm(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41), 'text')).toBe('\ufeffA');
  expect(copyForm(Uint8Array.of(0xc3), 'text')).toBe('\ufffd');
});

it('joins long Base64 without padding inside', () => {
  const long = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  const text = copyForm(long, 'base64');
  expect(Uint8Array.from(atob(text), (c) => c.charCodeAt(0))).toEqual(long);
});

it('parts a C array into lines of twelve', () => {
  const lines = copyForm(new Uint8Array(25), 'c').split('\n');
  expect(lines).toHaveLength(6);
  expect(lines[0]).toBe('const unsigned char bytes[25] = {');
  expect(lines[3]).toBe('  0x00');
});
