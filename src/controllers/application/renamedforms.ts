/**
 * Forms that serve an ApiKey of another name than their own. Several may name the same one: a form that
 * takes over from another has to, and a draft may. All others are found by name and take no memory here.
 */
import { refText, type Ref } from '../../api/meta.ts';
import type { Cache } from '../../kube/port.ts';
import type { CachedForm } from './view.ts';

type Serving = Pick<CachedForm, 'ref' | 'keyName'>;

/** See the file comment. */
export class RenamedForms {
  /** Names of forms by the text of the key's place. */
  readonly #forms = new Map<string, Set<string>>();

  /** Follows a cache from now on; before its first list. */
  follow(forms: Pick<Cache<CachedForm>, 'onChange'>): void {
    forms.onChange(({ previous, current }) => {
      this.#forget(previous);
      this.#note(current);
    });
  }

  /** Names of the forms in the key's namespace that serve it under names of their own. */
  of(key: Ref): readonly string[] {
    return [...(this.#forms.get(refText(key)) ?? [])];
  }

  #note(form: Serving | undefined): void {
    const key = keyOf(form);
    if (form === undefined || key === undefined) return;
    const known = this.#forms.get(key) ?? new Set<string>();
    this.#forms.set(key, known.add(form.ref.name));
  }

  /** Others that serve the key go on doing so. */
  #forget(form: Serving | undefined): void {
    const key = keyOf(form);
    const known = key === undefined ? undefined : this.#forms.get(key);
    if (form === undefined || key === undefined || known === undefined) return;
    known.delete(form.ref.name);
    if (known.size === 0) this.#forms.delete(key);
  }
}

/** Text of the place of the key that a form serves; undefined: it has the form's own name. */
function keyOf(form: Serving | undefined): string | undefined {
  if (form === undefined || form.keyName === form.ref.name) return undefined;
  return refText({ namespace: form.ref.namespace, name: form.keyName });
}
