/**
 * Pure; what differs between two requests, as lines for people: in the status of a form, in what
 * reviewers read, in the audit. Bounded, whatever somebody wrote into the form.
 */
import { canonicalContent, type RequestContent } from './request.ts';
import type { TermsSpec } from './terms.ts';

/** One field that differs; a side that is absent has no text. Of a list: one entry that differs. */
export type Change = {
  /** Path below `spec`, for example `terms.quota.requests`. */
  readonly field: string;
  readonly from?: string;
  readonly to?: string;
};

/** Longest text on either side, in code points. */
export const CHANGE_TEXT_MAX = 256;
/** Most lines; where there were more the last one tells how many are left out. */
export const CHANGES_MAX = 64;

/** Code points before the first difference that are shown of long texts. */
const LEAD_IN = 24;

/**
 * What `to` asks for that `from` does not, field by field, lists last.
 *
 * A list has one line for each entry: added ones have only `to`, removed ones only `from`. Where the
 * list as a whole begins or ceases to restrict, that side of its first line says so in parentheses.
 * Long texts are cut, and an ellipsis says how many characters are missing; where both sides begin
 * alike the cut begins shortly before the difference, so that it is seen. Control characters, and
 * those that turn the direction of writing around, are shown as escapes.
 *
 * @param from what is in force; absent: nothing, so each field said is a line with only `to`
 */
export function changesBetween(
  from: RequestContent | undefined,
  to: RequestContent,
): readonly Change[] {
  const before = from && canonicalContent(from);
  const after = canonicalContent(to);
  const lines = [...fieldLines(before, after), ...listLines(before, after)];
  if (lines.length <= CHANGES_MAX) return lines;
  const shown = lines.slice(0, CHANGES_MAX - 1);
  return [...shown, { field: '…', to: `${lines.length - shown.length} more changes` }];
}

function fieldLines(before: RequestContent | undefined, after: RequestContent): readonly Change[] {
  const old = new Map(before ? fieldsOf(before) : []);
  const lines: Change[] = [];
  for (const [field, text] of fieldsOf(after)) {
    const previous = old.get(field);
    if (text !== previous) lines.push(line(field, previous, text));
  }
  return lines;
}

/** Every field but the lists, in one order; undefined: absent. */
function fieldsOf(content: RequestContent): readonly (readonly [string, string | undefined])[] {
  const { storeRef, client, service, reissue, revocation, terms } = content;
  return [
    ['storeRef', `${storeRef.kind} ${storeRef.name} (${storeRef.uid})`],
    ['clientRef', `${client.name} (${client.uid})`],
    ['format', content.format],
    ['apiKeyRef.name', content.apiKeyName],
    ['displayName', content.displayName],
    ['description', content.description],
    ['service.name', service?.name],
    ['service.description', service?.description],
    ['service.url', service?.url],
    ['purpose', content.purpose],
    ['justification', content.justification],
    ...termFields(terms),
    ['reissue.requestId', reissue?.requestId],
    ['reissue.reason', reissue?.reason],
    ['reissue.message', reissue?.message],
    ['reissue.whileWaiting', reissue?.whileWaiting],
    ['revocation.justification', revocation?.justification],
    ['revocation.effectiveDate', revocation?.effectiveDate],
  ];
}

function termFields(terms: TermsSpec): readonly (readonly [string, string | undefined])[] {
  const { validity, quota, originPolicy } = terms;
  return [
    ['terms.validity.effectiveDate', validity?.effectiveDate],
    ['terms.validity.expirationDate', validity?.expirationDate],
    ['terms.validity.timeZone', validity?.timeZone],
    ['terms.validity.notBeforeTime', validity?.notBeforeTime],
    ['terms.validity.expirationTime', validity?.expirationTime],
    ['terms.validity.durationDays', validity?.durationDays?.toString()],
    ['terms.quota.requests', quota?.requests.toString()],
    ['terms.quota.period', quota?.period],
    ['terms.originPolicy.missing', originPolicy?.missing],
    ['terms.originPolicy.unknownPath', originPolicy?.unknownPath],
  ];
}

/** What a list that is not there stands for. */
const ABSENT_LISTS: readonly {
  readonly field: string;
  readonly absent: string;
  readonly entries: (terms: TermsSpec | undefined) => readonly string[];
}[] = [
  {
    field: 'terms.originPolicy.allowed',
    absent: '(any site)',
    entries: (terms) => terms?.originPolicy?.allowed ?? [],
  },
  { field: 'terms.cidrs', absent: '(any address)', entries: (terms) => terms?.cidrs ?? [] },
  {
    field: 'terms.productRefs',
    absent: '(open products only)',
    entries: (terms) => terms?.productRefs?.map(({ name }) => name) ?? [],
  },
];

function listLines(before: RequestContent | undefined, after: RequestContent): readonly Change[] {
  return ABSENT_LISTS.flatMap(({ field, absent, entries }) => {
    const old = entries(before?.terms);
    const now = entries(after.terms);
    const removed = old.filter((entry) => !now.includes(entry));
    const added = now.filter((entry) => !old.includes(entry));
    const lines = [
      ...removed.map((entry) => line(field, entry, undefined)),
      ...added.map((entry) => line(field, undefined, entry)),
    ];
    const [first, ...others] = lines;
    if (before === undefined || first === undefined) return lines;
    if (old.length === 0) return [{ ...first, from: absent }, ...others];
    return now.length === 0 ? [{ ...first, to: absent }, ...others] : lines;
  });
}

function line(field: string, from: string | undefined, to: string | undefined): Change {
  // Code points: half of a surrogate pair is no text.
  const points = [from, to].map((text) => (text === undefined ? [] : Array.from(text, visible)));
  const isLong = points.some((each) => lengthOf(each.join('')) > CHANGE_TEXT_MAX);
  const start = isLong ? startOfView(points) : 0;
  const [shownFrom = '', shownTo = ''] = points.map((each) => cut(each, start));
  return {
    field,
    ...(from === undefined ? {} : { from: shownFrom }),
    ...(to === undefined ? {} : { to: shownTo }),
  };
}

/** Where the shown part of two long texts begins: a little before they part. */
function startOfView([from = [], to = []]: readonly (readonly string[])[]): number {
  const differsAt = to.findIndex((point, index) => point !== from[index]);
  const alike = differsAt < 0 ? to.length : differsAt;
  return Math.max(0, alike - LEAD_IN);
}

/** At most CHANGE_TEXT_MAX characters of a text from `start` on, what is missing said on either side. */
function cut(points: readonly string[], start: number): string {
  const lead = start === 0 ? '' : `[${start} more]…`;
  const whole = lead + points.slice(start).join('');
  if (lengthOf(whole) <= CHANGE_TEXT_MAX) return whole;
  let shown = lead;
  let at = start;
  const room = CHANGE_TEXT_MAX - `…[${points.length} more]`.length;
  for (; at < points.length; at += 1) {
    const next = points[at] ?? '';
    if (lengthOf(shown) + lengthOf(next) > room) break;
    shown += next;
  }
  return `${shown}…[${points.length - at} more]`;
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** Line breaks, control characters and turns of direction could make a line look like another one. */
function visible(point: string): string {
  if (point === '\n') return '\\n';
  if (point === '\\') return '\\\\';
  const isTurn = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(point);
  if (!isTurn && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(point)) return point;
  return `\\u{${point.codePointAt(0)?.toString(16)}}`;
}
