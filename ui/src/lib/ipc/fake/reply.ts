/** What the pretended model says. Markdown with what a reply can hold. */
export const REASONING =
  'The user sees two replacement characters, so a two-byte sequence was cut in half. ï is c3 af in UTF-8. ' +
  'A chunk border fell between the two, and each half was decoded alone. The cure is one decoder for the whole stream, ' +
  'with the stream option, and a flush at the end. I can show that with the fixture.';

export const REPLY = `The bytes are fine; the **decoder** is not. \`ï\` is two bytes in UTF-8 (\`c3 af\`), and a chunk may end between them. A naïve client decodes each chunk alone, so each half becomes U+FFFD.

Keep one decoder for the whole stream:

\`\`\`ts
const decoder = new TextDecoder();
for await (const chunk of response.body) {
  parser.push(decoder.decode(chunk, { stream: true }));
}
parser.push(decoder.decode()); // flush the tail
\`\`\`

What happens to each byte:

| bytes | alone | in one stream |
| --- | --- | ---: |
| \`c3\` | U+FFFD | kept |
| \`af\` | U+FFFD | \`ï\` |

1. Read the chunk.
2. Decode with \`stream: true\`.
   - *Never* decode a chunk alone.
   - 日本語 and 👩‍💻 break the same way.
3. Flush at the end.

- [x] found the cause
- [ ] checked the fixture

> A chunk is not a character. [UTF-8](https://www.rfc-editor.org/rfc/rfc3629) says so.

I will run the fixture against both versions.`;

export const TOOL = {
  id: 'call_7Qd2',
  name: 'run_fixture',
  arguments: '{"name":"utf8-split","split_after":["c3"],"clients":["per-chunk","streaming"]}',
};

/** Cuts text the way models do: words with the space before them. */
export function tokens(text: string): string[] {
  return text.match(/\s?[\p{L}\p{N}]{1,7}|\s?[^\p{L}\p{N}\s]+|\s+/gu) ?? [];
}
