/**
 * Read-your-own-writes for Secrets: a Secret that this process has just written counts as present
 * until the watch shows it, so a lagging cache is not taken for a loss.
 */
import { MINUTE_MS } from '../../kernel/time.ts';
import { refText, type Ref } from '../../api/meta.ts';
import type { SecretSight } from './world.ts';

/** Without a watch, each Secret is looked at this often at most. */
export const LOOK_PAUSE_MS = 10 * MINUTE_MS;

type Own = { readonly uid: string; readonly resourceVersion: string };

export class OwnSecrets {
  readonly #written = new Map<string, Own>();
  readonly #lookedAtMs = new Map<string, number>();

  /** Remembers a write of ours. */
  wrote(ref: Ref, own: Own): void {
    this.#written.set(refText(ref), own);
  }

  /** Forgets what the watch has caught up with; called for each change the watch shows. */
  saw(ref: Ref, shown: Own | undefined): void {
    const text = refText(ref);
    const own = this.#written.get(text);
    if (own === undefined) return;
    const isBehind = shown !== undefined && isOlder(shown.resourceVersion, own.resourceVersion);
    if (!isBehind) this.#written.delete(text);
  }

  /** Paces live looks where Secrets are not watched; true at most every LOOK_PAUSE_MS. */
  isLookDue(ref: Ref, nowMs: number): boolean {
    const text = refText(ref);
    const lookedAtMs = this.#lookedAtMs.get(text);
    if (lookedAtMs !== undefined && Math.abs(nowMs - lookedAtMs) < LOOK_PAUSE_MS) return false;
    this.#lookedAtMs.set(text, nowMs);
    return true;
  }

  /** What to believe: the cache, unless our own write is newer. */
  sight(ref: Ref, cached: Own | undefined): SecretSight {
    const own = this.#written.get(refText(ref));
    const isBehind =
      own !== undefined &&
      (cached === undefined || isOlder(cached.resourceVersion, own.resourceVersion));
    const shown = isBehind ? own : cached;
    return shown === undefined ? { type: 'Absent' } : { type: 'Present', ...shown };
  }
}

/** Compares resource versions as the numbers they are (KEP-5504), of any length. */
function isOlder(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
