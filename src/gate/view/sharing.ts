/**
 * What many records have in common, kept once: most keys of a store have the same terms but for their
 * ends, and a million of them live in a few namespaces. Pure, but for what it keeps.
 */
import { compileTerms, type CompiledTerms } from '../../terms/compiled.ts';
import type { KeyTerms } from '../../terms/terms.ts';
import type { SlotKind } from '../../terms/verdict.ts';

/** More different ones are not common; then it begins anew, and records keep what they have. */
const KEPT_MAX = 10_000;
/** Longer texts are not looked for among the others. */
const SHARED_LENGTH_MAX = 64;

/** See the file comment. */
export class Sharing {
  readonly #terms = new Map<string, CompiledTerms>();
  readonly #kinds = new Map<string, readonly SlotKind[]>();
  readonly #texts = new Map<string, string>();

  /** As `compileTerms`; the same for equal ones. */
  terms(terms: Omit<KeyTerms, 'timeZone'>): CompiledTerms {
    const { quota, originPolicy, cidrs, productRefs } = terms;
    // Two that differ in the order of fields only are kept twice, which is no more than a pity.
    const name = JSON.stringify([quota, originPolicy, cidrs, productRefs]);
    return this.#terms.get(name) ?? keep(this.#terms, name, compileTerms(terms));
  }

  /** What the values of a credential are; the same for equal ones. */
  kinds(slots: readonly SlotKind[]): readonly SlotKind[] {
    const name = slots.map((slot) => `${slot.name} ${slot.pepperVersion}`).join();
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    const kinds = slots.map((slot) => ({ name: slot.name, pepperVersion: slot.pepperVersion }));
    return keep(this.#kinds, name, kinds);
  }

  /** The same text, and the same object for equal ones. */
  text<T extends string | undefined>(text: T): T {
    if (text === undefined || text.length > SHARED_LENGTH_MAX) return text;
    const known = this.#texts.get(text);
    // Equal texts are of the same type.
    if (known !== undefined) return known as T;
    keep(this.#texts, text, text);
    return text;
  }
}

function keep<T>(map: Map<string, T>, name: string, value: T): T {
  if (map.size >= KEPT_MAX) map.clear();
  map.set(name, value);
  return value;
}
