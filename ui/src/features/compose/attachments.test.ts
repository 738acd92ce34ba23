import { beforeAll, expect, it, test } from 'vitest';
import { useBackend } from '../../lib/ipc';
import { fromUrl, imageOf, readFile, sizeOf, typeByName } from './attachments';

const kept: Uint8Array[] = [];

beforeAll(() =>
  useBackend({
    call: async () => null as never,
    bytes: async () => new Uint8Array(),
    audio: async () => new Uint8Array(),
    attach: async (file) => `weir-file:${'a'.repeat(64)}:${kept[kept.push(file) - 1]!.length}`,
    attached: async () => new Uint8Array(),
    importSession: async () => Promise.reject(new Error('none')),
    watch: () => () => {},
    watchComparison: () => () => {},
    watchDrill: () => () => {},
    watchMemoryDrill: () => () => {},
  }),
);

it('leaves a file with the engine, and knows its size', async () => {
  for (const length of [0, 1, 2, 3, 1000]) {
    const file = new File([new Uint8Array(length)], 'dot.png', { type: 'image/png' });
    const attachment = await readFile(file);
    expect(attachment).toMatchObject({ mediaType: 'image/png', name: 'dot.png' });
    expect(sizeOf(attachment)).toBe(length);
    const { reference } = imageOf(attachment) as { reference: string };
    expect(attachment.source).toEqual({ data: reference });
    expect(kept.at(-1)).toHaveLength(length);
  }
});

it('knows a type by the name where the system does not', async () => {
  expect((await readFile(new File(['a'], 'notes.md'))).mediaType).toBe('text/markdown');
  expect(typeByName('x')).toBe('application/octet-stream');
});

test.each([
  [
    'https://h/cat.JPG?size=2',
    { mediaType: 'image/jpeg', name: 'cat.JPG', source: { url: 'https://h/cat.JPG?size=2' } },
  ],
  [
    'https://h/a%20b.pdf',
    { mediaType: 'application/pdf', name: 'a b.pdf', source: { url: 'https://h/a%20b.pdf' } },
  ],
  ['data:image/png;base64,AAAA', { mediaType: 'image/png', name: '', source: { data: 'AAAA' } }],
  ['cat.jpg', null],
  ['javascript:alert(1)', null],
  ['', null],
])('a URL: %s', (text, attachment) => expect(fromUrl(text)).toEqual(attachment));

it('shows an image that is here, and fetches none', () => {
  expect(imageOf(fromUrl('data:image/png;base64,AAAA')!)).toEqual({ url: 'data:image/png;base64,AAAA' });
  expect(imageOf(fromUrl('https://h/cat.png')!)).toBeNull();
  const large = `weir-file:${'0'.repeat(64)}:9000000`;
  expect(imageOf({ mediaType: 'image/png', name: '', source: { data: large } })).toBeNull();
  expect(sizeOf(fromUrl('https://h/cat.png')!)).toBeNull();
});
