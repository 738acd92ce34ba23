import { expect, test } from 'vitest';
import { certificates } from './certificates';

const one = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

test('certificates are counted, comments between them allowed', () => {
  expect(certificates('')).toEqual({ count: 0, whole: true });
  expect(certificates(`# Root A\n${one}\n# Root B\n${one}`)).toEqual({ count: 2, whole: true });
});

test('a cut certificate, a key and plain text are not whole', () => {
  expect(certificates(`${one}-----BEGIN CERTIFICATE-----\nMIIB`).whole).toBe(false);
  expect(certificates(`${one}-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----`).whole).toBe(false);
  expect(certificates('hello').whole).toBe(false);
});
