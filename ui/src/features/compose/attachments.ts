import type { Attachment } from '../../gen/Attachment';

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

/** Reads a file into an attachment: its content stays in the draft, in base64. */
export function readFile(file: File): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error ?? new Error(`${file.name} cannot be read.`));
    reader.onload = () => {
      const url = reader.result as string;
      resolve({
        mediaType: file.type || typeByName(file.name),
        name: file.name,
        source: { data: url.slice(url.indexOf(',') + 1) },
      });
    };
    reader.readAsDataURL(file);
  });
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
  const padding = /={0,2}$/.exec(source.data)![0].length;
  return Math.floor((source.data.length * 3) / 4) - padding;
}

/** An image to show for it, without fetching anything; null where there is none. */
export function thumbnail({ mediaType, source }: Attachment): string | null {
  return 'data' in source && mediaType.startsWith('image/')
    ? `data:${mediaType};base64,${source.data}`
    : null;
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
