import { bytes } from '../../../lib/ipc';

/** Bytes a page. */
export const PAGE_BYTES = 65_536;
/** Pages kept: 4 MiB. */
const KEPT = 64;

export type FetchBytes = (conn: number, out: boolean, start: number, len: number) => Promise<Uint8Array>;

/** The bytes of a session, in pages, those not looked at for longest forgotten first. */
export class ByteCache {
  readonly #fetch: FetchBytes;
  readonly #pages = new Map<string, Uint8Array>();
  readonly #coming = new Map<string, Promise<void>>();

  constructor(fetch: FetchBytes) {
    this.#fetch = fetch;
  }

  static of(session: string): ByteCache {
    return new ByteCache((conn, out, start, len) => bytes(session, conn, out, start, len));
  }

  /** `[start, end)` as far as it is at hand: null where a part is missing. */
  peek(conn: number, out: boolean, start: number, end: number): Uint8Array | null {
    const whole = new Uint8Array(Math.max(0, end - start));
    for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page++) {
      const key = `${conn}/${out}/${page}`;
      const held = this.#pages.get(key);
      const at = page * PAGE_BYTES;
      if (!held || at + held.length < Math.min(end, at + PAGE_BYTES)) return null;
      this.#pages.delete(key);
      this.#pages.set(key, held);
      whole.set(held.subarray(Math.max(0, start - at), end - at), Math.max(0, at - start));
    }
    return whole;
  }

  /** `[start, end)`, fetched where it is not at hand; shorter where the stream is. */
  async load(conn: number, out: boolean, start: number, end: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page++) {
      const at = page * PAGE_BYTES;
      const until = Math.min(end, at + PAGE_BYTES);
      const held = await this.#page(conn, out, page, until - at);
      const part = held.subarray(Math.max(0, start - at), until - at);
      parts.push(part);
      length += part.length;
      if (at + held.length < until) break;
    }
    const whole = new Uint8Array(length);
    let to = 0;
    for (const part of parts) {
      whole.set(part, to);
      to += part.length;
    }
    return whole;
  }

  /** A page with `need` bytes at least, unless the stream ends before. */
  async #page(conn: number, out: boolean, page: number, need: number): Promise<Uint8Array> {
    const key = `${conn}/${out}/${page}`;
    const held = this.#pages.get(key);
    if (held && held.length >= need) return held;
    let coming = this.#coming.get(key);
    if (!coming) {
      coming = this.#fetch(conn, out, page * PAGE_BYTES, PAGE_BYTES)
        .then((came) => {
          this.#pages.delete(key);
          this.#pages.set(key, came);
          for (const oldest of this.#pages.keys()) {
            if (this.#pages.size <= KEPT) break;
            this.#pages.delete(oldest);
          }
        })
        .finally(() => this.#coming.delete(key));
      this.#coming.set(key, coming);
    }
    await coming;
    return this.#pages.get(key) ?? new Uint8Array();
  }
}
