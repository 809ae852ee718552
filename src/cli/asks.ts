/** What a round asks for, in few words. Pure; the texts are the applicant's. */
import type { ApplicationChange as Change } from '../api/generated/apikeyapplication.ts';
import { clipTo } from './width.ts';
import { visible } from './visible.ts';

/** What is asked about comes before what it is called: sites, APIs and how often, then dates. */
const ORDER = [
  /^revocation/,
  /^reissue\.reason/,
  /^terms\.(originPolicy|cidrs)/,
  /^terms\.productRefs/,
  /^terms\.quota/,
  /^terms/,
] as const;
/** Short names of what is asked for most; others are called as in the form. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['terms.originPolicy.allowed', 'sites'],
  ['terms.cidrs', 'networks'],
  ['terms.productRefs', 'products'],
  ['terms.quota.requests', 'quota'],
  ['terms.validity.effectiveDate', 'from'],
  ['terms.validity.notBeforeTime', 'from'],
  ['terms.validity.expirationDate', 'until'],
  ['terms.validity.expirationTime', 'until'],
  ['terms.validity.durationDays', 'days'],
  ['reissue.reason', 'reissue'],
]);
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
  const name = visible(NAMES.get(field) ?? field.replace(/^terms\.(validity\.)?/, ''));
  const now = to === undefined ? 'none' : shorten(to);
  return from === undefined ? `${name} ${now}` : `${name} ${shorten(from)} → ${now}`;
}

function shorten(text: string): string {
  return clipTo(visible(text), 32);
}
