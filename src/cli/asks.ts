/** What a round asks for, in few words. Pure; the texts are the applicant's. */
import { clipTo } from './width.ts';
import { visible } from './visible.ts';

type Change = { readonly field: string; readonly from?: string; readonly to?: string };

/** What is asked about comes before what it is called. */
const ORDER = [
  /^revocation/,
  /^reissue\.reason/,
  /^terms\.validity/,
  /^terms\.(quota|productRefs)/,
  /^terms/,
] as const;
/** Said by other columns, or of no use in a few words. */
const LEFT_OUT =
  /^(clientRef|storeRef|apiKeyRef|format|reissue\.(requestId|whileWaiting)|terms\.validity\.timeZone|terms\.originPolicy\.(missing|unknownPath)$)/;

/** One line of at most so many columns; '' when nothing is known. */
export function asksText(changes: readonly Change[] | undefined, columns: number): string {
  const parts = (changes ?? [])
    .filter(({ field }) => !LEFT_OUT.test(field))
    .toSorted((a, b) => rank(a) - rank(b))
    .map(partText);
  return clipTo(parts.join(', '), columns);
}

function rank({ field }: Change): number {
  const place = ORDER.findIndex((pattern) => pattern.test(field));
  return place < 0 ? ORDER.length : place;
}

function partText({ field, from, to }: Change): string {
  const name = visible(field.replace(/^terms\.(validity\.)?/, ''));
  const now = to === undefined ? 'none' : shorten(to);
  return from === undefined ? `${name} ${now}` : `${name} ${shorten(from)} → ${now}`;
}

function shorten(text: string): string {
  return clipTo(visible(text), 32);
}
