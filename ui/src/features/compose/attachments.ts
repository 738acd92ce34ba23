import type { Attachment } from '../../gen/Attachment';
import { attach } from '../../lib/ipc';

/** By name, where the system does not tell a file's type. */
const BY_ENDING: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
};
const UNKNOWN = 'application/octet-stream';

/** The media type that a file's name or a URL's path ends like. */
export function typeByName(name: string): string {
  const ending = /\.(\w+)(?:[?#].*)?$/.exec(name)?.[1]?.toLowerCase() ?? '';
  return BY_ENDING[ending] ?? UNKNOWN;
}

/** What stands for a file's content in a draft: the engine keeps the file under its hash. */
const REFERENCE = /^weir-file:[0-9a-f]{64}:(\d+)$/;

/** Hands a file to the engine; the attachment holds a reference to it. */
export async function readFile(file: File): Promise<Attachment> {
  const data = await attach(new Uint8Array(await file.arrayBuffer()));
  return { mediaType: file.type || typeByName(file.name), name: file.name, source: { data } };
}

/** An attachment at a URL that the provider fetches, or in a `data:` URL; null where the text is neither. */
export function fromUrl(text: string, mediaType = ''): Attachment | null {
  const inline = /^data:([^;,]*)((?:;[^;,]*)*);base64,([A-Za-z0-9+/=\s]+)$/.exec(text.trim());
  if (inline) {
    return { mediaType: inline[1] || UNKNOWN, name: '', source: { data: inline[3]!.replace(/\s/g, '') } };
  }
  if (!/^(https?|gs|s3):\/\/\S+$/.test(text.trim()) || !URL.canParse(text.trim())) return null;
  const url = text.trim();
  const name = decodeURIComponentOrNot(new URL(url).pathname.split('/').at(-1) ?? '');
  return { mediaType: mediaType || typeByName(url), name, source: { url } };
}

/** Bytes of the content; null where only the provider will know. */
export function sizeOf({ source }: Attachment): number | null {
  if (!('data' in source)) return null;
  const kept = REFERENCE.exec(source.data);
  if (kept) return Number(kept[1]);
  const padding = /={0,2}$/.exec(source.data)![0].length;
  return Math.floor((source.data.length * 3) / 4) - padding;
}

/** Bytes of an image that a small picture is made of at most. */
const SHOWN = 8 << 20;

/** Where the image to show for it is, without asking any server: a data URL, or a reference to ask the engine for. Null: there is none. */
export function imageOf(attachment: Attachment): { url: string } | { reference: string } | null {
  const { mediaType, source } = attachment;
  if (!('data' in source) || !mediaType.startsWith('image/')) return null;
  if (!REFERENCE.test(source.data)) return { url: `data:${mediaType};base64,${source.data}` };
  return sizeOf(attachment)! <= SHOWN ? { reference: source.data } : null;
}

/** The files that a paste or a drop carries. */
export function filesIn(data: DataTransfer | null): File[] {
  return data ? [...data.files] : [];
}

function decodeURIComponentOrNot(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
