/** `keyward review`: a form as its reviewer reads it. Pure; all texts in it may be anybody's. */
import type { ApplicationChange as Change } from '../api/generated/apikeyapplication.ts';
import type { ReviewNarrowed } from '../api/generated/apikeyreview.ts';
import { parseTime } from '../kernel/time.ts';
import { agoText, spanText } from './ages.ts';
import { storeOf, toneOf, type Form, type Store } from './objects.ts';
import { table, type Paint } from './output.ts';
import { barred } from './paragraphs.ts';
import { listsText } from './reviewlists.ts';
import { visible } from './visible.ts';
import { clipTo } from './width.ts';

/** What is shown beside the form. */
export type Reading = {
  /** Undefined: it is gone, or may not be read. */
  readonly store: Store | undefined;
  readonly nowMs: number;
  readonly paint: Paint;
};

const VALUE_COLUMNS = 60;

/** The whole page. */
export function reviewText(form: Form, reading: Reading): string {
  return [
    head(form, reading),
    changesText(form),
    listsText(form),
    wordsText(form),
    grantText(form),
    historyText(form, reading),
  ]
    .filter((section) => section !== '')
    .join('\n');
}

/**
 * What a decision repeats: what was read is what is decided.
 *
 * @param narrowed what this decision leaves of it; absent: all
 */
export function summaryText(form: Form, narrowed?: ReviewNarrowed): string {
  const { metadata, status } = form;
  const { number = 0, type = '', requestHash = '', changes = [] } = status?.round ?? {};
  const what = hasGrant(form) ? 'Differs' : 'New';
  const facts = [
    `${metadata.namespace ?? ''}/${metadata.name}: ${type}, round ${number}\n`,
    `  applicant  ${visible(status?.applicant?.username ?? '')}\n`,
    `  hash       ${visible(requestHash)}\n`,
  ];
  const differences = changes.map((change) => changeText(change, what));
  return [...facts, ...differences, listsText(form), narrowedText(narrowed)].join('');
}

function narrowedText(narrowed: ReviewNarrowed | undefined): string {
  if (narrowed === undefined) return '';
  const fields = Object.entries(narrowed).map(([field, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `    ${field}: ${visible(text)}\n`;
  });
  return `  of which you leave\n${fields.join('')}`;
}

function head(form: Form, reading: Reading): string {
  const { metadata, status } = form;
  const state = status?.state ?? 'Unknown';
  const title = `ApiKeyApplication ${metadata.namespace ?? ''}/${metadata.name}`;
  const lines = [...subjectFacts(form), ...roundFacts(form, reading)]
    .filter(([, text]) => text !== '')
    .map(([label, text]) => `  ${label.padEnd(10)} ${visible(text)}`);
  return `${title}   ${reading.paint(visible(state), toneOf(state))}\n${lines.join('\n')}\n`;
}

type Fact = readonly [label: string, text: string];

function subjectFacts(form: Form): readonly Fact[] {
  const { metadata, spec, status } = form;
  const { kind, name } = storeOf(spec);
  return [
    ['applicant', applicantText(form)],
    ['editors', (status?.editors ?? []).join(', ')],
    ['client', spec.clientRef?.name ?? ''],
    ['key', status?.apiKeyRef?.name ?? spec.apiKeyRef?.name ?? metadata.name],
    ['store', `${kind} ${name}`],
  ];
}

function roundFacts(form: Form, { store, nowMs }: Reading): readonly Fact[] {
  const round = form.status?.round;
  return [
    ['rules', rulesText(store)],
    ['asks for', round === undefined ? 'nothing yet' : `${round.type}, round ${round.number}`],
    ['waits for', waitsText(form, nowMs)],
    ['hash', round?.requestHash ?? ''],
    ['edited', isBehind(form) ? 'since then; what follows may be old, look again' : ''],
  ];
}

function applicantText({ spec, status }: Form): string {
  const { applicant } = status ?? {};
  const of = spec.onBehalfOf === undefined ? '' : `, on behalf of ${spec.onBehalfOf.username}`;
  return applicant === undefined ? '' : `${applicant.username} (${applicant.source})${of}`;
}

function rulesText(store: Store | undefined): string {
  if (store === undefined) return 'not known: the store is gone, or you may not read it';
  const rules = store.spec.applications;
  const layers = (rules.layers ?? []).map(({ name, approvals }) => `${name} (${approvals})`);
  return [
    `reviewed: ${(rules.requiredFor ?? []).join(', ')}`,
    layers.length === 0 ? 'one layer' : `layers ${layers.join(', then ')}`,
    `self review ${rules.selfReview}`,
    `after a denial ${rules.onDenied}`,
  ].join('; ');
}

function waitsText({ status }: Form, nowMs: number): string {
  if (status?.state !== 'Pending') return '';
  const { approvals, round } = status;
  const layer = approvals?.layer === undefined ? 'a reviewer' : `layer ${approvals.layer}`;
  const given =
    approvals === undefined ? '' : `, ${approvals.given} of ${approvals.required} given`;
  const deadlineMs = parseTime(round?.deadlineTime ?? '');
  const lapses = deadlineMs === undefined ? '' : `, lapses in ${spanText(deadlineMs - nowMs)}`;
  return `${layer}${given}; submitted ${agoText(round?.submittedTime, nowMs)}${lapses}`;
}

/** True when the status is about an older edit than the one that is there. */
export function isBehind({ metadata, status }: Pick<Form, 'metadata' | 'status'>): boolean {
  const seen = status?.observedGeneration;
  return seen !== undefined && metadata.generation !== undefined && seen < metadata.generation;
}

/** Fields that are the applicant's own words, and where else they are shown whole. */
const WORDS = [
  ['service.name', (spec: Spec) => spec.service?.name],
  ['service.description', (spec: Spec) => spec.service?.description],
  ['service.url', (spec: Spec) => spec.service?.url],
  ['displayName', (spec: Spec) => spec.displayName],
  ['description', (spec: Spec) => spec.description],
  ['purpose', (spec: Spec) => spec.purpose],
  ['justification', (spec: Spec) => spec.justification],
  ['reissue.message', (spec: Spec) => spec.reissue?.message],
  ['revocation.justification', (spec: Spec) => spec.revocation?.justification],
  ['contact', (spec: Spec) => Object.values(spec.contact ?? {}).join(', ') || undefined],
] as const;

type Spec = Form['spec'];

function hasGrant({ status }: Form): boolean {
  return status?.grant !== undefined && status.grant.state !== 'None';
}

function changesText(form: Form): string {
  const { round } = form.status ?? {};
  const isGranted = hasGrant(form);
  const isWords = ({ field, from }: Change): boolean =>
    from === undefined && WORDS.some(([words]) => words === field);
  const changes = (round?.changes ?? []).filter((change) => !isWords(change));
  if (changes.length === 0) return '';
  const title = isGranted ? 'Differences to what is in force' : 'Asked for';
  return `${title}\n${changes.map((change) => changeText(change, isGranted ? 'Differs' : 'New')).join('')}`;
}

function changeText({ field, from, to }: Change, what: 'Differs' | 'New'): string {
  const name = `  ${visible(field)}\n`;
  if (what === 'New' && from === undefined) return `${name}${barred(to ?? 'none')}`;
  return `${name}${barred(from ?? '(none)', 'now   ')}${barred(to ?? '(none)', 'asked ')}`;
}

/** Whole, because the changes cut what is long. */
function wordsText({ spec }: Form): string {
  const said = WORDS.flatMap(([field, textOf]) => {
    const text = textOf(spec);
    return text === undefined || text === '' ? [] : [`  ${field}\n${barred(text)}`];
  });
  return said.length === 0 ? '' : `In the words of the applicant\n${said.join('')}`;
}

function grantText({ status }: Form): string {
  const { grant, nextGrant } = status ?? {};
  if (grant === undefined || grant.state === 'None') return '';
  const until =
    grant.expirationTime === undefined ? 'without end' : `until ${grant.expirationTime}`;
  const next =
    nextGrant === undefined ? '' : `; a change follows at ${nextGrant.effectiveTime ?? 'its date'}`;
  const terms = leavesOf(grant.terms ?? {}, '')
    .map((leaf) => barred(leaf))
    .join('');
  return `Granted\n  ${grant.state}, round ${grant.round ?? 0}, from ${grant.effectiveTime ?? ''} ${until}${next}\n${terms}`;
}

/** `path value` for each value that is no group of others. */
function leavesOf(value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) {
    const parts = value.map((each) => leavesOf(each, '').join(' ').trim());
    return [`${path} ${parts.join(', ')}`];
  }
  if (typeof value !== 'object' || value === null) return [`${path} ${String(value)}`];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, path === '' ? name : `${path}.${name}`),
  );
}

function historyText({ status }: Form, { nowMs, paint }: Reading): string {
  const reviews = status?.reviews ?? [];
  if (reviews.length === 0) return '';
  const rows = reviews.map((review) => [
    agoText(review.time, nowMs),
    { text: review.decision, tone: toneOf(review.decision) },
    review.reviewer,
    review.layer ?? '',
    review.reason ?? '',
    short(review.message ?? ''),
  ]);
  const titles = ['WHEN', 'DECISION', 'REVIEWER', 'LAYER', 'REASON', 'MESSAGE'];
  return `Decisions, newest first\n${indent(table(titles, rows, paint))}`;
}

function short(text: string): string {
  return clipTo(visible(text), VALUE_COLUMNS);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
