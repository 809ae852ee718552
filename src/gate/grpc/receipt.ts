/** Pure; collects the bytes of a call until its sender ends it. */
import { MESSAGE_BYTES_MAX, PREFIX_BYTES } from './framing.ts';
import { FAILURES, type Failure } from './statuses.ts';

/** Bytes of messages that have begun and not ended, of all connections. */
export type Backlog = { bytes: number };

/** More means that somebody opens calls to fill the memory. */
const BACKLOG_BYTES_MAX = 64 * 1_024 * 1_024;
/** What a piece costs beside its bytes, roughly. */
const PART_BYTES = 256;
const NOTHING = Buffer.alloc(0);

/** The bytes of one call. */
export class Receipt {
  readonly #backlog: Backlog;
  #first: Buffer | undefined;
  /** From the second piece on, together with the first. */
  #parts: Buffer[] | undefined;
  #size = 0;
  /** What of the backlog is ours. */
  #counted = 0;

  constructor(backlog: Backlog) {
    this.#backlog = backlog;
  }

  /** Takes a piece; the answer says what is wrong with the call. */
  take(piece: Buffer, kind: 'Last' | 'NotLast'): Failure | undefined {
    this.#size += piece.length;
    if (this.#size > PREFIX_BYTES + MESSAGE_BYTES_MAX) return FAILURES.TooLarge;
    if (this.#first === undefined && kind === 'Last') {
      // Nearly always this is all there is, and it is used at once.
      this.#first = piece;
      return undefined;
    }
    if (piece.length === 0) return undefined;
    // A copy: the piece is part of something larger that would stay.
    const kept = Buffer.from(piece);
    if (this.#first === undefined) this.#first = kept;
    else (this.#parts ??= [this.#first]).push(kept);
    this.#counted += PART_BYTES + kept.length;
    this.#backlog.bytes += PART_BYTES + kept.length;
    return this.#backlog.bytes > BACKLOG_BYTES_MAX ? FAILURES.TooMuch : undefined;
  }

  /** All bytes; nothing of them stays here. */
  finish(): Buffer {
    const bytes =
      this.#parts === undefined ? (this.#first ?? NOTHING) : Buffer.concat(this.#parts, this.#size);
    this.clear();
    return bytes;
  }

  /** Forgets the bytes. Repeatable. */
  clear(): void {
    this.#first = undefined;
    this.#parts = undefined;
    this.#backlog.bytes -= this.#counted;
    this.#counted = 0;
  }
}
