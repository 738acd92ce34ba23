/** What is known of sound from its media type and its first bytes. */

/** A media type as people say it: "PCM, 24 kHz". */
export function soundName(mediaType: string): string {
  const [type = '', ...parameters] = mediaType.split(';').map((part) => part.trim());
  const rate = Number(parameters.find((part) => part.startsWith('rate='))?.slice(5));
  const names: Record<string, string> = {
    'audio/pcm': 'PCM',
    'audio/l16': 'PCM',
    'audio/mpeg': 'MP3',
    'audio/mp3': 'MP3',
    'audio/wav': 'WAV',
    'audio/opus': 'Opus',
    'audio/ogg': 'Ogg',
    'audio/pcmu': 'G.711 µ-law',
    'audio/pcma': 'G.711 A-law',
  };
  const name = names[type.toLowerCase()] ?? type;
  return rate ? `${name} ${rate / 1000} kHz` : name;
}

/** The media type to play bytes as: what they begin with says more than what was announced. */
export function soundType(bytes: Uint8Array, announced: string): string {
  const begins = (text: string) => [...text].every((c, i) => bytes[i] === c.charCodeAt(0));
  if (begins('RIFF')) return 'audio/wav';
  if (begins('ID3') || (bytes[0] === 0xff && (bytes[1]! & 0xe0) === 0xe0)) return 'audio/mpeg';
  if (begins('OggS')) return 'audio/ogg';
  if (begins('fLaC')) return 'audio/flac';
  return announced.split(';')[0] ?? '';
}

/** Seconds as a clock: "0:07", "1:02:03". */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  const text = parts.map((n, i) => (i > 0 || hours ? String(n).padStart(2, '0') : String(n))).join(':');
  return hours ? `${hours}:${text}` : text;
}
