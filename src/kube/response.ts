/**
 * A strict parser for HTTP/1.1 answers. It knows what an API server sends and nothing more: whatever
 * is odd throws, because a guess about where an answer ends would hand one call another's bytes.
 */

/** Status and the few headers that anybody reads. */
export type ResponseHead = {
  readonly status: number;
  /** False when the server will close the connection after this answer. */
  readonly keepAlive: boolean;
  /** '' when absent. */
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
};

/** Who receives a parsed answer; body chunks are views that are valid only during the call. */
export interface ResponseSink {
  onHead(head: ResponseHead): void;
  onBody(chunk: Buffer): void;
  onEnd(): void;
}

/** Head sizes of API servers are under 1 KiB; a proxy may add as much again. */
const HEAD_BYTES_MAX = 16_384;
/** 16 hexadecimal digits are far beyond any body that is accepted. */
const SIZE_LINE_BYTES_MAX = 18;
const EMPTY = Buffer.alloc(0);

type State = 'Head' | 'Body' | 'Size' | 'Chunk' | 'ChunkEnd' | 'LastLine' | 'Done';
type Framing = { length: number | undefined; chunked: boolean };

/** Feeds one answer to a sink; `reset` makes it ready for the next on the same connection. */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: State = 'Head';
  #pending: Buffer = EMPTY;
  #left = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  reset(): void {
    this.#state = 'Head';
    this.#pending = EMPTY;
    this.#left = 0;
  }

  /** Takes what arrived and keeps no view of it. Throws on anything that is not a plain HTTP/1.1 answer. */
  push(chunk: Buffer): void {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = EMPTY;
    while (rest.length > 0) {
      const used = this.#step(rest);
      if (used === 0) {
        this.#pending = Buffer.from(rest);
        return;
      }
      rest = used === rest.length ? EMPTY : rest.subarray(used);
    }
    // Only here, so that bytes after the end are noticed before the connection is used again.
    if (this.#state === 'Done') this.#sink.onEnd();
  }

  /** Bytes used up by one step; 0 when more are needed. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'Head':
        return this.#readHead(bytes);
      case 'Body':
        return this.#readData(bytes, 'Done');
      case 'Size':
        return this.#readSize(bytes);
      case 'Chunk':
        return this.#readData(bytes, 'ChunkEnd');
      case 'ChunkEnd':
        return this.#readLineEnd(bytes, 'Size');
      case 'LastLine':
        return this.#readLineEnd(bytes, 'Done');
      case 'Done':
        throw new Error('bytes after the end of the answer');
    }
  }

  #readHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0 ? bytes.length > HEAD_BYTES_MAX : end > HEAD_BYTES_MAX) {
      throw new Error('answer head too long');
    }
    if (end < 0) return 0;
    const framing: Framing = { length: undefined, chunked: false };
    const head = parseHead(bytes.toString('latin1', 0, end), framing);
    this.#begin(head, framing);
    this.#sink.onHead(head);
    return end + 4;
  }

  #begin(head: ResponseHead, framing: Framing): void {
    if (head.status === 204 || head.status === 304) {
      this.#state = 'Done';
      return;
    }
    if (framing.chunked === (framing.length !== undefined)) throw new Error('unclear body length');
    this.#left = framing.length ?? 0;
    if (framing.chunked) this.#state = 'Size';
    else this.#state = this.#left === 0 ? 'Done' : 'Body';
  }

  #readData(bytes: Buffer, next: State): number {
    const size = Math.min(this.#left, bytes.length);
    this.#sink.onBody(size === bytes.length ? bytes : bytes.subarray(0, size));
    this.#left -= size;
    if (this.#left === 0) this.#state = next;
    return size;
  }

  #readSize(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n');
    if (end < 0 ? bytes.length > SIZE_LINE_BYTES_MAX : end > SIZE_LINE_BYTES_MAX) {
      throw new Error('chunk size too long');
    }
    if (end < 0) return 0;
    const text = bytes.toString('latin1', 0, end);
    // Chunk extensions are legal and nobody sends them; accepting none keeps smuggling out.
    if (!/^[0-9a-fA-F]{1,8}$/.test(text)) throw new Error('chunk size is no number');
    this.#left = Number.parseInt(text, 16);
    this.#state = this.#left === 0 ? 'LastLine' : 'Chunk';
    return end + 2;
  }

  #readLineEnd(bytes: Buffer, next: State): number {
    if (bytes.length < 2) return 0;
    if (bytes[0] !== 13 || bytes[1] !== 10) throw new Error('line end expected');
    this.#state = next;
    return 2;
  }
}

function parseHead(text: string, framing: Framing): ResponseHead {
  const lines = text.split('\r\n');
  const first = /^HTTP\/1\.1 ([2-5]\d\d)(?: |$)/.exec(lines[0] ?? '');
  if (first === null) throw new Error('no HTTP/1.1 status line');
  const status = Number(first[1]);
  let keepAlive = true;
  let contentType = '';
  let retryAfter: string | undefined;
  let date: string | undefined;
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const colon = nameEnd(line);
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case 'content-length':
        framing.length = parseLength(value, framing.length);
        break;
      case 'transfer-encoding':
        if (value.toLowerCase() !== 'chunked') throw new Error('unknown transfer encoding');
        framing.chunked = true;
        break;
      case 'connection':
        keepAlive = !value.toLowerCase().includes('close');
        break;
      case 'content-type':
        contentType = value;
        break;
      case 'content-encoding':
        throw new Error('compressed answer that nobody asked for');
      case 'retry-after':
        retryAfter = value;
        break;
      case 'date':
        date = value;
        break;
    }
  }
  return { status, keepAlive, contentType, retryAfter, date };
}

/** Position of the colon; folded lines, blanks in names and stray line ends are refused. */
function nameEnd(line: string): number {
  const match = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/.exec(line);
  if (match === null || /[\r\n\0]/.test(line)) throw new Error('malformed header line');
  return match[0].length - 1;
}

function parseLength(value: string, previous: number | undefined): number {
  if (!/^\d{1,15}$/.test(value)) throw new Error('content length is no number');
  const length = Number(value);
  if (previous !== undefined && previous !== length) throw new Error('two content lengths');
  return length;
}
