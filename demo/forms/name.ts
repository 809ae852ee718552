/** Systems whose way of applying for keys can be shown. */
const NAMES = ['visitseoul', 'digirunner'] as const;

/** One of them, as `samples/` calls it. */
export type FormsName = (typeof NAMES)[number];

/** Tells such a name from other words. */
export function isFormsName(word: string): word is FormsName {
  return NAMES.some((name) => name === word);
}
