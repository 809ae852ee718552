/**
 * Pure; what keeps a form from being reviewed, all of it at once. The application controller asks when
 * a round would open, and only then: a round that is open does not become incomplete because a day
 * goes by or a product is retired. Codes in messages are those that users of older portals know.
 */
import {
  formProblem,
  type FormFacts,
  type FormProblem,
  type FormRules,
  type FormSpec,
} from './form.ts';
import { parseInstant } from './instant.ts';
import { withNormalTexts } from './request.ts';
import { missingFields } from './required.ts';
import { resolveTerms, type TermsContext } from './resolve.ts';
import type { TermsSpec, ValiditySpec } from './terms.ts';
import { dayAt, findZone, parseDay, UTC, type Zone } from './zone.ts';

/**
 * Every problem of a form; empty: the round may open. A wish for the end is held up only by a date
 * that is none, and a wish for new values not by terms, which it leaves as they are. Never throws;
 * repeatable.
 *
 * @param written as it stands there; its texts are judged as a round freezes them, which can be longer
 */
export function problemsOf(
  written: FormSpec,
  rules: FormRules,
  facts: FormFacts,
): readonly FormProblem[] {
  const form = withNormalTexts(written);
  const reviewers = reviewerProblems(rules, facts);
  switch (facts.round) {
    case 'Revoke':
      return [...revocationProblems(form), ...reviewers];
    case 'Reissue':
      return [...clientProblems(form, facts), ...reviewers];
    case 'Issue':
    case 'Change':
      return [
        ...clientProblems(form, facts),
        ...missingFields(form, rules.requiredFields),
        ...termProblems(form.terms ?? {}, rules, facts),
        ...productProblems(form.terms ?? {}, facts),
        ...unsupported(form, rules, facts),
        ...reviewers,
      ];
  }
}

function clientProblems(form: FormSpec, facts: FormFacts): readonly FormProblem[] {
  const field = 'clientRef';
  if (form.clientRef === undefined) {
    const message = 'is missing; say for which ApiClient the key is (code 1122)';
    return [formProblem('ClientRequired', field, message)];
  }
  const who = `names the client '${form.clientRef.name}', which`;
  switch (facts.client) {
    case 'Active':
      return [];
    case 'NotFound':
      return [formProblem('ClientNotFound', field, `${who} does not exist (code 1122)`)];
    case 'Suspended':
      return [formProblem('ClientSuspended', field, `${who} is suspended`)];
    case 'NotRegistered':
      return [formProblem('ClientNotRegistered', field, `${who} is not registered (code 1228)`)];
  }
}

function termProblems(
  terms: TermsSpec,
  rules: FormRules,
  facts: FormFacts,
): readonly FormProblem[] {
  const early = startProblems(terms.validity ?? {}, rules, facts);
  const resolution = resolveTerms(terms, contextOf(rules, facts));
  if (resolution.type === 'Problems') {
    const invalid = resolution.problems.map(({ field, message }) =>
      formProblem('InvalidTerms', field, message),
    );
    return [...early, ...invalid];
  }
  if (!resolution.alreadyOver) return early;
  const message = 'has passed, so there is nothing left to grant';
  return [...early, formProblem('AlreadyOver', endField(terms.validity ?? {}), message)];
}

function contextOf(rules: FormRules, { nowMs, grant }: FormFacts): TermsContext {
  const { timeZone, durationDays, maxDurationDays, maxQuotaRequests } = rules;
  return {
    nowMs,
    ...(timeZone !== undefined && { storeTimeZone: timeZone }),
    ...(durationDays !== undefined && { storeDurationDays: durationDays }),
    ...(maxDurationDays !== undefined && { maxDurationDays }),
    ...(maxQuotaRequests !== undefined && { maxQuotaRequests }),
    ...(grant?.firstIssuedMs !== undefined && { firstIssuedMs: grant.firstIssuedMs }),
    ...(grant !== undefined && { issuableMs: grant.effectiveMs }),
  };
}

/** A start before today, where nothing has begun yet. Today's is none, whatever time it is. */
function startProblems(
  validity: ValiditySpec,
  rules: FormRules,
  { nowMs, grant }: FormFacts,
): readonly FormProblem[] {
  if (grant !== undefined && grant.effectiveMs <= nowMs) return [];
  const zone = findZone(validity.timeZone ?? rules.timeZone ?? UTC.name) ?? UTC;
  const day = startDay(validity, zone);
  if (day === undefined || day >= dayAt(zone, nowMs)) return [];
  const name = validity.effectiveDate === undefined ? 'notBeforeTime' : 'effectiveDate';
  const message = 'lies in the past; the first possible day is today (code 1227)';
  return [formProblem('EffectiveDateInPast', `terms.validity.${name}`, message)];
}

/** Day of the start, as days since 1970-01-01; undefined: none is said, or nothing that can be read. */
function startDay({ effectiveDate, notBeforeTime }: ValiditySpec, zone: Zone): number | undefined {
  if (effectiveDate !== undefined) return parseDay(effectiveDate);
  const atMs = notBeforeTime === undefined ? undefined : parseInstant(notBeforeTime);
  return atMs === undefined ? undefined : dayAt(zone, atMs);
}

function endField({ expirationTime, durationDays }: ValiditySpec): string {
  if (expirationTime !== undefined) return 'terms.validity.expirationTime';
  return `terms.validity.${durationDays === undefined ? 'expirationDate' : 'durationDays'}`;
}

/** One text for unknown products and those that this form may not have, so that names cannot be probed. */
function productProblems(terms: TermsSpec, facts: FormFacts): readonly FormProblem[] {
  const held = facts.grant?.products ?? [];
  return (terms.productRefs ?? []).flatMap(({ name }, index) => {
    const state = facts.products.get(name);
    const field = `terms.productRefs[${index}]`;
    if (state === 'Published' || (state === 'Deprecated' && held.includes(name))) return [];
    if (state === undefined) {
      const message = `names the product '${name}', which is not available here (code 1127)`;
      return [formProblem('ProductNotAvailable', field, message)];
    }
    const why = state === 'Retired' ? 'is retired' : 'is no longer given to new keys';
    const message = `names the product '${name}', which ${why} (code 1127)`;
    return [formProblem('ProductRetired', field, message)];
  });
}

/** What the store would have to skip, so that nobody approves what will not be enforced. */
function unsupported(form: FormSpec, rules: FormRules, facts: FormFacts): readonly FormProblem[] {
  const { formats, displayNameMax, descriptionMax, terms: enforced } = rules.abilities;
  const { quota, originPolicy, cidrs = [], productRefs = [] } = form.terms ?? {};
  const isUsed = {
    quota: quota !== undefined,
    originPolicy: (originPolicy?.allowed ?? []).length > 0,
    cidrs: cidrs.length > 0,
    productRefs: productRefs.length > 0,
  };
  const beyond = Object.entries(isUsed)
    .filter(([name, used]) => used && !enforced.includes(name))
    .map(([name]) => [`terms.${name}`, 'cannot be honoured: nothing at the store enforces it']);
  const isFormat = form.format === undefined || formats.includes(form.format);
  const isNameShort = codePoints(form.displayName ?? facts.apiKeyName) <= displayNameMax;
  const isTextShort = codePoints(form.description ?? '') <= descriptionMax;
  const found = [
    ...(isFormat ? [] : [['format', `is not offered; the store has ${formats.join(', ')}`]]),
    ...(isNameShort ? [] : [['displayName', tooLong(displayNameMax, form.displayName)]]),
    ...(isTextShort ? [] : [['description', tooLong(descriptionMax, form.description)]]),
    ...beyond,
  ];
  return found.map(([field = '', message = '']) =>
    formProblem('UnsupportedByStore', field, message),
  );
}

function tooLong(max: number, text: string | undefined): string {
  const what =
    text === undefined ? 'is absent, and the name of the ApiKey is too long' : 'is too long';
  return `${what}: the store takes ${max} characters at most`;
}

function revocationProblems({ revocation }: FormSpec): readonly FormProblem[] {
  const date = revocation?.effectiveDate;
  // A day that has passed means at once: an end is never refused for coming late.
  if (date === undefined || parseDay(date) !== undefined) return [];
  const message = 'is no date from 1970-01-01 to 9999-12-31 of the form YYYY-MM-DD';
  return [formProblem('InvalidTerms', 'revocation.effectiveDate', message)];
}

function reviewerProblems(rules: FormRules, { round }: FormFacts): readonly FormProblem[] {
  const isReviewed = rules.mode === 'Manual' && rules.requiredFor.includes(round);
  if (!isReviewed || rules.layers === undefined || rules.layers.length > 0) return [];
  const message =
    'names a store in which nobody can decide: its list of layers is empty (code 1565)';
  return [formProblem('NoReviewers', 'storeRef', message)];
}

function codePoints(text: string): number {
  return Array.from(text).length;
}
