import { hexString } from './layout';

/** The forms in which bytes are copied. */
export type CopyForm = 'text' | 'hex' | 'base64' | 'c';

export const FORM_NAMES: Readonly<Record<CopyForm, string>> = {
  text: 'text',
  hex: 'hex',
  base64: 'Base64',
  c: 'a C array',
};

/** Bytes in a form; text is read as UTF-8, and what is none becomes U+FFFD. */
export function copyForm(bytes: Uint8Array, form: CopyForm): string {
  switch (form) {
    case 'text':
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    case 'hex':
      return hexString(bytes);
    case 'base64':
      return base64(bytes);
    case 'c':
      return cArray(bytes);
  }
}

function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // A multiple of three, so that only the last part is padded; few enough for one call's arguments.
  for (let at = 0; at < bytes.length; at += 0x6000) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000))));
  }
  return parts.join('');
}

/** Twelve bytes a line, as they are written in C. */
function cArray(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 12) {
    const line = Array.from(bytes.subarray(at, at + 12), (b) => `0x${b.toString(16).padStart(2, '0')}`);
    lines.push(`  ${line.join(', ')}`);
  }
  return `const unsigned char bytes[${bytes.length}] = {\n${lines.join(',\n')}\n};\n`;
}
