/**
 * ApiKeys that name a form of another name than their own: rarely the one that the form serves, often one
 * that asks in vain and must be told so. All others are found by name and take no memory here.
 */
import { refText, type Ref } from '../../api/meta.ts';
import type { Cache } from '../../kube/port.ts';
import type { CachedApiKey } from './view.ts';

type Named = Pick<CachedApiKey, 'ref' | 'applicationName'>;

/** See the file comment. */
export class NamedForms {
  /** By the text of the form's place. */
  readonly #keys = new Map<string, Map<string, Ref>>();

  /** Follows a cache from now on; before its first list. */
  follow(keys: Pick<Cache<CachedApiKey>, 'onChange'>): void {
    keys.onChange(({ previous, current }) => {
      this.#forget(previous);
      this.#note(current);
    });
  }

  /** The keys that name this form under names of their own. */
  of(form: Ref): readonly Ref[] {
    return [...(this.#keys.get(refText(form))?.values() ?? [])];
  }

  #note(key: Named | undefined): void {
    const form = formOf(key);
    if (key === undefined || form === undefined) return;
    const known = this.#keys.get(form) ?? new Map<string, Ref>();
    this.#keys.set(form, known.set(key.ref.name, key.ref));
  }

  #forget(key: Named | undefined): void {
    const form = formOf(key);
    const known = form === undefined ? undefined : this.#keys.get(form);
    if (key === undefined || form === undefined || known === undefined) return;
    known.delete(key.ref.name);
    if (known.size === 0) this.#keys.delete(form);
  }
}

/** Text of the place of the form that a key names; undefined: none, or the one of its own name. */
function formOf(key: Named | undefined): string | undefined {
  const name = key?.applicationName;
  if (key === undefined || name === undefined || name === key.ref.name) return undefined;
  return refText({ namespace: key.ref.namespace, name });
}
