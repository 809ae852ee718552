/** Cuts a watch stream into lines and each line into a frame, one at a time. */

/** One line of a watch. */
export type WatchFrame = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
};

/** etcd refuses objects over 1.5 MiB; JSON may double that. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
const LINE_END = 10;
const TYPES: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

/** Takes a stream in pieces of any size; throws on a line that is no frame. */
export class FrameReader {
  readonly #onFrame: (frame: WatchFrame) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(onFrame: (frame: WatchFrame) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, start)) {
      this.#readLine(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  #hold(piece: Buffer): void {
    this.#heldBytes += piece.length;
    if (this.#heldBytes > LINE_BYTES_MAX) throw new Error('watch line too long');
    // A copy, because a view would keep the whole network buffer alive.
    this.#held.push(Buffer.from(piece));
  }

  #readLine(end: Buffer): void {
    const line = this.#held.length === 0 ? end : Buffer.concat([...this.#held, end]);
    this.#held = [];
    this.#heldBytes = 0;
    if (line.length > 0) this.#onFrame(parseFrame(line));
  }
}

function parseFrame(line: Buffer): WatchFrame {
  // Parser: only the type is checked here, the object by whoever knows what it must be.
  const frame = JSON.parse(line.toString('utf8')) as WatchFrame | null;
  if (!TYPES.has(frame?.type)) throw new Error('watch line is no frame');
  return frame as WatchFrame;
}
