/**
 * Read-your-own-writes for Secrets: a Secret that this process has just written counts as present
 * until the watch shows it, so a lagging cache is not taken for a loss.
 */
import { MINUTE_MS } from '../../kernel/time.ts';
import { isLater } from '../../kube/versions.ts';
import { refText, type Ref } from '../../api/meta.ts';
import type { SecretSight } from './world.ts';

/** Without a watch, each Secret is looked at this often at most. */
export const LOOK_PAUSE_MS = 10 * MINUTE_MS;

type Own = { readonly uid: string; readonly resourceVersion: string };

/** The Secret writes of this process that the watch has not shown yet; see the file comment. */
export class OwnSecrets {
  readonly #written = new Map<string, Own>();
  /** The oldest look first. */
  readonly #lookedAtMs = new Map<string, number>();
  /** Secret and key: where two want one name, one of them writes in vain. */
  readonly #writing = new Set<string>();

  /** What is remembered, for whatever reason; keys that are gone must not stay among it. */
  get size(): number {
    const secrets = new Set([...this.#written.keys(), ...this.#lookedAtMs.keys()]);
    return secrets.size + this.#writing.size;
  }

  /** A write of this key begins: until `settled`, what the watch shows is looked at by the pass that writes. */
  begin(ref: Ref, keyName: string): void {
    this.#writing.add(writeText(ref, keyName));
  }

  /** The pass of this key is over with the write; later changes wake it again. */
  settled(ref: Ref, keyName: string): void {
    this.#writing.delete(writeText(ref, keyName));
  }

  /** True while a pass of this key writes it. */
  isWriting(ref: Ref, keyName: string): boolean {
    return this.#writing.has(writeText(ref, keyName));
  }

  /** Remembers a write of ours until the watch shows it, unless it has already; not to be called where there is none. */
  wrote(ref: Ref, own: Own, shown: Own | undefined): void {
    if (shown !== undefined && !isLater(own.resourceVersion, shown.resourceVersion)) return;
    this.#written.set(refText(ref), own);
  }

  /** True when the watch shows what this process wrote last. */
  isOwn(ref: Ref, shown: Own | undefined): boolean {
    const own = this.#written.get(refText(ref));
    return own !== undefined && own.resourceVersion === shown?.resourceVersion;
  }

  /** Forgets what the watch has caught up with; called for each change the watch shows. */
  saw(ref: Ref, shown: Own | undefined): void {
    const text = refText(ref);
    const own = this.#written.get(text);
    if (own === undefined) return;
    const isBehind = shown !== undefined && isLater(own.resourceVersion, shown.resourceVersion);
    if (!isBehind) this.#written.delete(text);
  }

  /** Paces live looks where Secrets are not watched; true at most every LOOK_PAUSE_MS. */
  isLookDue(ref: Ref, nowMs: number): boolean {
    this.#forgetLooks(nowMs);
    const text = refText(ref);
    const lookedAtMs = this.#lookedAtMs.get(text);
    if (lookedAtMs !== undefined && isRecent(lookedAtMs, nowMs)) return false;
    // Behind all others, also where an older look is taken back.
    this.#lookedAtMs.delete(text);
    this.#lookedAtMs.set(text, nowMs);
    return true;
  }

  /** What to believe: the cache, unless our own write is newer. */
  sight(ref: Ref, cached: Own | undefined): SecretSight {
    const own = this.#written.get(refText(ref));
    const isBehind =
      own !== undefined &&
      (cached === undefined || isLater(own.resourceVersion, cached.resourceVersion));
    const shown = isBehind ? own : cached;
    return shown === undefined ? { type: 'Absent' } : { type: 'Present', ...shown };
  }

  /** A look so long ago holds up none, and its key may be gone. */
  #forgetLooks(nowMs: number): void {
    for (const [text, lookedAtMs] of this.#lookedAtMs) {
      if (isRecent(lookedAtMs, nowMs)) return;
      this.#lookedAtMs.delete(text);
    }
  }
}

function isRecent(lookedAtMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - lookedAtMs) < LOOK_PAUSE_MS;
}

function writeText(ref: Ref, keyName: string): string {
  return `${refText(ref)} ${keyName}`;
}
