/**
 * What many records have in common, kept once: most keys of a store have the same terms but for their
 * ends, and a million of them live in a few namespaces. Pure, but for what it keeps.
 */
import { compileTerms, type CompiledTerms } from '../../terms/compiled.ts';
import type { KeyTerms } from '../../terms/terms.ts';

/** More different ones are not common; then it begins anew, and records keep what they have. */
const KEPT_MAX = 10_000;
/** Longer texts are not looked for among the others. */
const SHARED_LENGTH_MAX = 64;

type WithoutEnds = Omit<CompiledTerms, 'notBeforeMs' | 'endMs'>;

/** See the file comment. */
export class Sharing {
  readonly #terms = new Map<string, WithoutEnds>();
  readonly #texts = new Map<string, string>();

  /** As `compileTerms`; parts that are equal are the same. */
  terms(terms: KeyTerms): CompiledTerms {
    const { notBeforeMs, endMs, quota, originPolicy, cidrs, productRefs } = terms;
    // Two that differ in the order of fields only are kept twice, which is no more than a pity.
    const name = JSON.stringify([quota, originPolicy, cidrs, productRefs]);
    return {
      ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
      ...(endMs === undefined ? {} : { endMs }),
      ...(this.#terms.get(name) ?? this.#compile(name, terms)),
    };
  }

  /** The same text, and the same object for equal ones. */
  text<T extends string | undefined>(text: T): T {
    if (text === undefined || text.length > SHARED_LENGTH_MAX) return text;
    const known = this.#texts.get(text);
    // Equal texts are of the same type.
    if (known !== undefined) return known as T;
    if (this.#texts.size >= KEPT_MAX) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  #compile(name: string, terms: KeyTerms): WithoutEnds {
    if (this.#terms.size >= KEPT_MAX) this.#terms.clear();
    const { notBeforeMs: _from, endMs: _to, ...compiled } = compileTerms(terms);
    this.#terms.set(name, compiled);
    return compiled;
  }
}
