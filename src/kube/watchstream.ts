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

/** Takes a stream in pieces of any size; throws a SyntaxError on a line that is no frame. */
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
    if (this.#heldBytes > LINE_BYTES_MAX) throw new SyntaxError('watch line too long');
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
  const frame = JSON.parse(
    withoutManagedFields(line) ?? line.toString('utf8'),
  ) as WatchFrame | null;
  if (!TYPES.has(frame?.type)) throw new SyntaxError('watch line is no frame');
  return frame as WatchFrame;
}

/**
 * Who wrote which field is most of an object's text, hundreds of small objects when parsed, and read
 * by nobody here. Inside a JSON text a quotation mark is always escaped, so that the name with its
 * colon and bracket can only be a field with a list; where that ends is known from the only two
 * orders in which API servers write metadata:
 *
 * - that of Go's structure, in metadata alone: the list is the last thing in the line;
 * - by name, in custom resources: after it come name, namespace, version and UID, then the spec.
 */
const LIST = ',"managedFields":[';
const METADATA_ONLY = /^\{"type":"[A-Z]+","object":\{"kind":"PartialObjectMetadata",/;
const LIST_LAST = '}]}}}';
const BY_NAME =
  /^\{"type":"[A-Z]+","object":\{"apiVersion":"[a-z0-9./]+","kind":"[A-Za-z]+","metadata":\{/;
const LIST_END = '}],"name":"';
const AFTER_LIST =
  /^"name":"[a-z0-9.-]+",(?:"namespace":"[a-z0-9-]+",)?"resourceVersion":"\d+","uid":"[0-9a-f-]+"\},"spec":/;
/** Longer than the longest text that the patterns of a beginning or of what follows the list match. */
const PATTERN_BYTES = 640;

/** The line without the list; undefined: it looks different, and has to be parsed as a whole. */
function withoutManagedFields(line: Buffer): string | undefined {
  const start = line.indexOf(LIST, 0, 'latin1');
  if (start < 0) return undefined;
  const head = line.toString('utf8', 0, start);
  if (METADATA_ONLY.test(head)) {
    const isLast = line.toString('latin1', line.length - LIST_LAST.length) === LIST_LAST;
    return isLast ? `${head}}}}` : undefined;
  }
  const end = line.indexOf(LIST_END, start, 'latin1');
  if (end < 0 || !BY_NAME.test(head)) return undefined;
  const next = end + '}],'.length;
  if (!AFTER_LIST.test(line.toString('latin1', next, next + PATTERN_BYTES))) return undefined;
  return `${head},${line.toString('utf8', next)}`;
}
