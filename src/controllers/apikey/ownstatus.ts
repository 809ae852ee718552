/**
 * Read-your-own-writes for status: until the watch shows what we wrote, a decision rests on what we
 * wrote, so a lagging cache causes neither a second write nor a conflict.
 */
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import { isLater } from '../../kube/versions.ts';
import type { ApiKeyView } from './world.ts';

type Own = { readonly resourceVersion: string; readonly status: ApiKeyStatus };

/** The last status writes of this process that the watch has not shown yet. */
export class OwnStatus {
  readonly #written = new Map<string, Own>();

  /** Remembers a status that was written, unless the cache, at version `shown`, has it already. */
  wrote(uid: string, own: Own, shown: string | undefined): void {
    if (shown !== undefined && !isLater(own.resourceVersion, shown)) return;
    this.#written.set(uid, own);
  }

  /** The object as the cache has it, with our own status where that is newer. */
  newest(cached: ApiKeyView): ApiKeyView {
    const own = this.#written.get(cached.uid);
    if (own === undefined) return cached;
    if (isLater(own.resourceVersion, cached.resourceVersion)) return { ...cached, ...own };
    this.#written.delete(cached.uid);
    return cached;
  }

  /** Forgets what the watch has caught up with. */
  saw(uid: string, resourceVersion: string | undefined): void {
    const own = this.#written.get(uid);
    if (own === undefined) return;
    if (resourceVersion === undefined || !isLater(own.resourceVersion, resourceVersion)) {
      this.#written.delete(uid);
    }
  }
}
