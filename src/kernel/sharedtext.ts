/** One copy of each text that many records of a cache have in common. Pure, but for what it remembers. */

/** At most so many texts are kept, */
const SHARED_MAX = 1_000;
/** and only short ones, because they stay. */
const SHARED_CHARS_MAX = 256;
const sharedTexts = new Map<string, string>();

/** The same text, as one copy for all records that hold it. */
export function shared(text: string): string {
  const known = sharedTexts.get(text);
  if (known !== undefined) return known;
  if (text.length > SHARED_CHARS_MAX) return text;
  if (sharedTexts.size >= SHARED_MAX) sharedTexts.clear();
  sharedTexts.set(text, text);
  return text;
}
