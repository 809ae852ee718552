/**
 * The writes of a ledger as the kernel saw them (strace), and the disks they could have left
 * behind: whatever was not followed by an fsync may have arrived, in part, or not at all.
 */
import { SECTOR } from './power.image.ts';

type Write = { readonly offset: number; readonly bytes: Buffer };

export type SystemCall =
  | { readonly type: 'Write'; readonly file: string; readonly write: Write }
  | { readonly type: 'Truncate'; readonly file: string; readonly size: number }
  | { readonly type: 'Sync'; readonly file: string }
  /** The process said something on standard output. */
  | { readonly type: 'Say'; readonly text: string };

/** What strace has to be told to write a log for `parseSystemCalls`. */
export const STRACE =
  '-f -y -qq -xx -s 70000 -e signal=none -e trace=pwrite64,write,ftruncate,fdatasync,fsync'.split(
    ' ',
  );

const CALL = /^(\w+)\((\d+)<([^>]*)>(?:, (.*))?\)\s+= (-?\d+)/;

/** The calls of a log in the order in which they were finished; failed ones are left out. */
export function parseSystemCalls(log: string): readonly SystemCall[] {
  const halves = new Map<string, string>();
  return log.split('\n').flatMap((line) => {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    if (begun !== null) {
      halves.set(thread, begun[1] ?? '');
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const call = resumed === null ? rest : `${halves.get(thread) ?? ''}${resumed[1] ?? ''}`;
    return parseCall(call);
  });
}

function parseCall(call: string): SystemCall[] {
  const [, name, descriptor, hexPath = '', parameters = '', result] = CALL.exec(call) ?? [];
  if (name === undefined || Number(result) < 0) return [];
  const file = unescape(hexPath).toString();
  const data = unescape(/^"((?:\\x..)*)"/.exec(parameters)?.[1] ?? '');
  const last = Number(/(\d+)$/.exec(parameters)?.[1]);
  switch (name) {
    case 'pwrite64':
      return [{ type: 'Write', file, write: { offset: last, bytes: data } }];
    case 'ftruncate':
      return [{ type: 'Truncate', file, size: last }];
    case 'write':
      return descriptor === '1' ? [{ type: 'Say', text: data.toString() }] : [];
    default:
      return [{ type: 'Sync', file }];
  }
}

function unescape(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}

/** One file on a disk that may lose power: what is safe, and what is still on its way. */
export class UnsafeFile {
  #safe: Buffer;
  #pending: (Write | { readonly size: number })[] = [];

  constructor(safe: Buffer) {
    this.#safe = safe;
  }

  apply(call: SystemCall): void {
    if (call.type === 'Write') this.#pending.push(call.write);
    if (call.type === 'Truncate') this.#pending.push({ size: call.size });
    if (call.type !== 'Sync') return;
    this.#safe = this.image(() => true);
    this.#pending = [];
  }

  /** True when a power cut now could lose something. */
  get isPending(): boolean {
    return this.#pending.length > 0;
  }

  /** The file after a power cut now; asked for every sector on its way whether it arrived. */
  image(hasArrived: () => boolean): Buffer {
    let content: Buffer = Buffer.from(this.#safe);
    for (const change of this.#pending) {
      if (!('size' in change)) {
        content = overwrite(content, change, hasArrived);
      } else if (hasArrived()) {
        content = content.subarray(0, change.size);
      }
    }
    return content;
  }
}

function overwrite(before: Buffer, { offset, bytes }: Write, hasArrived: () => boolean): Buffer {
  const end = offset + bytes.length;
  const content = end <= before.length ? before : Buffer.alloc(end);
  if (content !== before) before.copy(content);
  let size = before.length;
  let from = offset;
  while (from < end) {
    const to = Math.min(end, (Math.floor(from / SECTOR) + 1) * SECTOR);
    if (hasArrived()) {
      bytes.copy(content, from, from - offset, to - offset);
      size = Math.max(size, to);
    }
    from = to;
  }
  return content.subarray(0, size);
}
