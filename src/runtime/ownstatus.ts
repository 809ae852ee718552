/**
 * Read-your-own-writes for status: until the watch shows what we wrote, a decision rests on what we
 * wrote, so a lagging cache causes neither a second write nor a conflict.
 */
import { isLater } from '../kube/versions.ts';

/** The part of a record that is looked at. */
type WithStatus<Status> = {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly status: Status | undefined;
};

type Own<Status> = { readonly resourceVersion: string; readonly status: Status };

/** The last status writes of this process that the watch has not shown yet. */
export class OwnStatus<Status> {
  readonly #written = new Map<string, Own<Status>>();

  /** Remembers a status that was written, unless the cache, at version `shown`, has it already. */
  wrote(uid: string, own: Own<Status>, shown: string | undefined): void {
    if (shown !== undefined && !isLater(own.resourceVersion, shown)) return;
    this.#written.set(uid, own);
  }

  /** The object as the cache has it, with our own status where that is newer. */
  newest<View extends WithStatus<Status>>(cached: View): View {
    const own = this.#written.get(cached.uid);
    if (own === undefined) return cached;
    if (isLater(own.resourceVersion, cached.resourceVersion)) return { ...cached, ...own };
    this.#written.delete(cached.uid);
    return cached;
  }

  /** What was written and not shown yet; undefined: nothing. */
  last(uid: string): Status | undefined {
    return this.#written.get(uid)?.status;
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
