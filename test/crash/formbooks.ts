/**
 * The book of forms at the end of a plan: ledger, audit chain, objects, and when each value left the
 * operator, against the decisions.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FormRecord } from '../../src/ledger/form.ts';
import type { AuditLine } from '../../src/ledger/port.ts';
import { isLive } from '../../src/terms/verdict.ts';
import { API_KEY_APPLICATIONS, API_KEY_REVIEWS } from '../../src/api/names.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';
import type { ApiKeyApplicationStatus } from '../../src/api/generated/apikeyapplication.ts';
import type { Loose } from '../support/operator.api.ts';
import type { Violation } from './books.ts';
import { approvedRounds, checkChain, type RoundRule } from './formchain.ts';
import { allForms, allLines } from './records.ts';
import type { Applications } from './scenario.ts';
import type { Site } from './site.ts';

/** Compares, where keys have to be applied for. */
export async function checkForms(
  site: Site,
  ledger: LedgerReader,
  records: readonly KeyRecord[],
): Promise<readonly Violation[]> {
  if (site.scenario.applications === undefined) return [];
  const [lines, forms] = [await allLines(ledger), await allForms(ledger)];
  const objects = await site.api.list(API_KEY_APPLICATIONS, site.namespace);
  return [
    ...site.witness.violations,
    ...checkStory(site, lines, records),
    ...checkMoments(site, lines),
    ...forms.flatMap((form) => checkRecord(form, lines)),
    ...checkEnds(forms, records),
    ...objects.flatMap((object) => checkObject(object, forms)),
    ...(await checkReviews(site, ledger)),
  ];
}

/** Where the scenario says nothing: as the schema has it. */
const USUAL: RoundRule['requiredFor'] = ['Issue', 'Change', 'Reissue'];
const ONE: NonNullable<Applications['layers']> = [{ name: '' }];

function ruleOf({ scenario }: Site): RoundRule {
  const { layers = ONE, requiredFor = USUAL } = scenario.applications ?? {};
  const approvals = layers.reduce((sum, { approvals: each = 1 }) => sum + each, 0);
  return { approvals, requiredFor };
}

function checkStory(
  site: Site,
  lines: readonly AuditLine[],
  records: readonly KeyRecord[],
): readonly Violation[] {
  const formOf = new Map(records.map(({ uid, grant }) => [uid, grant?.formUid ?? 'none'] as const));
  return checkChain(lines, formOf, ruleOf(site)).map((text) => ({ kind: 'Unapproved', text }));
}

/** Nothing of a value was sent anywhere before the decision was in the ledger. */
function checkMoments(site: Site, lines: readonly AuditLine[]): readonly Violation[] {
  const first = lines.find(({ action }) => action === 'RoundApproved')?.atMs ?? Infinity;
  const early = (what: string, atMs: readonly number[]): readonly Violation[] =>
    atMs
      .filter((each) => each < first)
      .map((each) => ({
        kind: 'Unapproved',
        text: `${what} was sent ${first - each} ms too early`,
      }));
  return [
    ...early('a Secret', site.proxy.secretWritesMs),
    ...early('a creation at the vendor', site.vendor?.creationsMs ?? []),
  ];
}

/** What the record says was granted, the chain says too. */
function checkRecord(form: FormRecord, lines: readonly AuditLine[]): readonly Violation[] {
  const approved = approvedRounds(lines, form.uid);
  const counted = new Set(
    lines.filter(({ uid }) => uid === form.uid).map(({ facts }) => facts['reviewUid']),
  );
  const unknown = [form.grant, form.nextGrant].filter(
    (grant) => grant !== undefined && !approved.has(grant.round),
  );
  const uids = form.reviews.map(({ uid }) => uid);
  return [
    ...unknown.map((grant) => wrong(`${form.name}: round ${grant?.round} is nowhere approved`)),
    ...uids.filter((uid) => !counted.has(uid)).map((uid) => wrong(`review ${uid} is not audited`)),
    ...(new Set(uids).size === uids.length ? [] : [wrong(`${form.name}: a review counted twice`)]),
  ];
}

/** A grant that ended, or that there never was, keeps nothing alive. */
function checkEnds(
  forms: readonly FormRecord[],
  records: readonly KeyRecord[],
): readonly Violation[] {
  const inForce = new Set(
    forms
      .filter(({ grant, ended, phase }) => grant !== undefined && !ended && phase === 'Live')
      .map(({ uid }) => uid),
  );
  return records
    .filter(({ grant }) => !inForce.has(grant?.formUid ?? ''))
    .filter(({ credentials, state }) =>
      credentials.some((each) => state === 'Active' && isLive(each, Date.now())),
    )
    .map(({ name }) => ({ kind: 'Resurrection', text: `${name} lives on without its grant` }));
}

/** The object shows what the ledger says about its newest spec. */
function checkObject(object: Loose, forms: readonly FormRecord[]): readonly Violation[] {
  // Asked for by kind.
  const status = object.status as ApiKeyApplicationStatus | undefined;
  const { name, uid, generation } = object.metadata;
  const record = forms.find((form) => form.uid === uid);
  const isSame =
    status !== undefined &&
    status.observedGeneration === generation &&
    isDeepStrictEqual(shownOf(status), knownOf(record));
  return isSame ? [] : [{ kind: 'NotConverged', text: `form ${name} shows something else` }];
}

function shownOf({ round, grant }: ApiKeyApplicationStatus): object {
  const isEnded = grant?.state === 'Ended';
  return { round: round?.number, hash: round?.requestHash, grant: grant?.round, isEnded };
}

function knownOf(record: FormRecord | undefined): object {
  const { round, grant, ended } = record ?? {};
  const isEnded = ended !== undefined;
  return { round: round?.number, hash: round?.hash, grant: grant?.round, isEnded };
}

/** Each review was judged, once and for all. */
async function checkReviews(site: Site, ledger: LedgerReader): Promise<readonly Violation[]> {
  const objects = await site.api.list(API_KEY_REVIEWS, site.namespace);
  const latches = await Promise.all(
    objects.map(({ metadata }) => ledger.loadDocument('Review', metadata.uid)),
  );
  return latches.flatMap((latch, at) =>
    latch?.revision === 1
      ? []
      : [wrong(`review ${objects[at]?.metadata.name} was judged ${latch?.revision ?? 0} times`)],
  );
}

function wrong(text: string): Violation {
  return { kind: 'Unapproved', text };
}
