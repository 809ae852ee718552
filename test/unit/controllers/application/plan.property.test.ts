/** Whatever people do to a form, and whenever: the plan settles, and nothing is granted by itself. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS } from '../../../../src/kernel/time.ts';
import type { ApiKeyApplicationSpec } from '../../../../src/api/generated/apikeyapplication.ts';
import type { FormRecord } from '../../../../src/ledger/form.ts';
import type { Decision } from '../../../../src/ledger/formdecisions.ts';
import { finishReissue } from '../../../../src/ledger/formchanges.ts';
import { openLayer } from '../../../../src/ledger/grants.ts';
import { aFormSpec, aFormStore, CLIENT, someRules, Workshop } from './workshop.ts';

type Step = (at: Workshop) => Promise<void> | void;

const editOf = (change: Partial<ApiKeyApplicationSpec>): fc.Arbitrary<Step> =>
  fc.constantFrom('mina', 'jun', 'ara').map((by) => (at: Workshop) => at.edit(change, by));

const anEdit: fc.Arbitrary<Step> = fc.oneof(
  fc
    .constantFrom('Submitted', 'Draft', 'Withdrawn')
    .chain((submission) => editOf({ submission } as never)),
  fc.constantFrom('Checkout', 'Search', '').chain((purpose) => editOf({ purpose })),
  fc.constantFrom('one', 'two').chain((submissionId) => editOf({ submissionId })),
  fc
    .constantFrom(10, 20, -1)
    .chain((requests) => editOf({ terms: { quota: { requests, period: 'Day' } } })),
  fc
    .constantFrom('2026-01-20', '2026-03-01', '2026-06-30')
    .chain((effectiveDate) => editOf({ terms: { validity: { effectiveDate } } })),
  fc
    .constantFrom('Asia/Seoul', 'Pacific/Kiritimati', 'Pacific/Pago_Pago')
    .chain((timeZone) => editOf({ terms: { validity: { timeZone } } })),
  fc
    .constantFrom('r1', 'r2')
    .chain((requestId) =>
      editOf({ reissue: { requestId, reason: 'Routine', whileWaiting: 'Suspend' } }),
    ),
  editOf({ reissue: undefined as never }),
  fc
    .constantFrom('2026-02-01', '2026-05-01')
    .chain((effectiveDate) => editOf({ revocation: { justification: 'Over', effectiveDate } })),
  editOf({ revocation: { justification: 'Over' } }),
  editOf({ revocation: undefined as never }),
);

const aDecision: fc.Arbitrary<Step> = fc
  .constantFrom('Approved', 'Denied', 'Returned', 'Revoked')
  .map((decision: Decision['decision']) => async (at: Workshop) => {
    const record = at.find();
    const isOpen = record?.round?.state === 'Pending';
    const isWithdrawal = decision === 'Revoked';
    if (record === undefined || record.ended !== undefined) return;
    if (isWithdrawal ? record.grant === undefined : !isOpen) return;
    // What the review controller refuses never comes here.
    const isCurrent = at.object()?.metadata.generation === record.seen.generation;
    const turn = record.round && openLayer(record.round, record.reviews);
    if (!isCurrent || (!isWithdrawal && turn === undefined)) return;
    await at.decide(decision).catch(() => undefined);
  });

const aTurn: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((days) => (at: Workshop) => at.clock.advance(days * DAY_MS)),
  fc.boolean().map((isThere) => (at: Workshop) => {
    at.client = isThere ? CLIENT : { type: 'Missing', name: 'shop' };
  }),
  fc.boolean().map((isWaiting) => (at: Workshop) => {
    at.isReviewWaiting = isWaiting;
  }),
  fc.constantFrom('UTC', 'Asia/Seoul').map((timeZone) => (at: Workshop) => {
    at.store = aFormStore({ timeZone, rules: someRules() });
  }),
  fc.boolean().map((isProven) => (at: Workshop) => {
    if (!isProven) at.provenSinceMs = undefined;
    else at.provenSinceMs ??= at.clock.nowMs();
  }),
  fc.constant((at: Workshop) => {
    const record = at.find();
    if (record?.reissue?.state !== 'Approved') return;
    at.commit(finishReissue(record, record.reissue.requestId));
  }),
);

const steps = fc.array(fc.oneof(anEdit, anEdit, aDecision, aTurn), { maxLength: 25 });

test('it settles in one pass, opens at most one round in it, and grants only what was decided', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const at = new Workshop();
      at.put(aFormSpec());
      for (const step of list) {
        const before = at.find();
        // One after the other: that is what a life is.
        // oxlint-disable-next-line no-await-in-loop
        await step(at);
        // oxlint-disable-next-line no-await-in-loop
        const { kind } = await at.pass();
        expect(['done', 'again']).toContain(kind);
        expect(broken(at, before)).toEqual([]);
        // oxlint-disable-next-line no-await-in-loop
        expect(await busyWork(at)).toEqual({ commits: 0, statusWrites: 0 });
      }
    }),
    { numRuns: 150 },
  );
});

/** What must hold after each pass and does not. */
function broken(at: Workshop, before: FormRecord | undefined): readonly string[] {
  const after = at.find();
  const opened = roundOf(after) - roundOf(before);
  const isApproved = after?.reviews.some(({ decision }) => decision === 'Approved') === true;
  const isEveryEditorKept = editorsOf(before).every((name) => editorsOf(after).includes(name));
  const rules = {
    'one round at most': opened === 0 || opened === 1,
    'editors only grow': isEveryEditorKept,
    'what ended stays ended': before?.ended === undefined || after?.ended !== undefined,
    'no grant without approval': after?.grant === undefined || isApproved,
    'no key without a grant': at.key() === undefined || after?.grant !== undefined,
    'an approved end only comes nearer': isNoLater(after, before),
    'nothing waits for what is decided': !isDeferred(at) || isWaitedFor(after),
  };
  return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [rule]));
}

function isNoLater(after: FormRecord | undefined, before: FormRecord | undefined): boolean {
  const { revocation, ended } = after ?? {};
  if (before?.revocation === undefined || ended !== undefined) return true;
  return revocation !== undefined && revocation.atMs <= before.revocation.atMs;
}

function isDeferred(at: Workshop): boolean {
  return at.condition('Submitted')?.reason === 'Deferred';
}

/** New values that were returned keep their turn until they are corrected or taken back. */
function isWaitedFor(record: FormRecord | undefined): boolean {
  const { type, state } = record?.round ?? {};
  const isNewest = type === 'Reissue' && state === 'Returned';
  return state === 'Pending' || isNewest || record?.returnedReissue !== undefined;
}

function roundOf(record: FormRecord | undefined): number {
  return record?.round?.number ?? 0;
}

function editorsOf(record: FormRecord | undefined): readonly string[] {
  return record?.editors ?? [];
}

/** What another pass does, although nothing has happened. */
async function busyWork(at: Workshop) {
  const commits = at.audit.length;
  const { statusWrites } = at.cluster;
  await at.pass();
  return {
    commits: at.audit.length - commits,
    statusWrites: at.cluster.statusWrites - statusWrites,
  };
}
