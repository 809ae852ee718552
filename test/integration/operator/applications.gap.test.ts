/**
 * Without the admission policies anybody can write in anybody's name: then nothing is approved, what was
 * written then never counts, and keys that nobody has to apply for go on.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { KEY_STORES } from '../../../src/api/names.ts';
import { accepted, ANN, Crowd, employ, MALLORY, REVIEWERS, ROB } from '../../support/crowd.ts';
import { eventually } from '../../support/eventually.ts';
import { Site, storeObject } from '../../support/operator.site.ts';
import { untilProven } from '../../support/operator.ts';

const APPROVED = { decision: 'Approved' } as const;
/** Whom Mallory claims to be. */
const ROBS_NAME = { username: ROB.username, groups: [REVIEWERS] };

let plane: ControlPlane;
let site: Site;
let crowd: Crowd;

beforeAll(async () => {
  plane = await startControlPlane();
  await installKeyward(plane);
  site = await Site.open({ access: plane, account: 'Own' });
  const { api, namespace } = site;
  await employ(api);
  const applications = { requirement: 'Always' };
  await api.create(KEY_STORES, storeObject(namespace, 'reviewed', {}, { applications }));
  crowd = new Crowd({ api, namespace, store: 'reviewed' });
  await crowd.register();
  await site.start();
  await untilProven(site.operator);
  await crowd.apply('before');
  await crowd.decided('before', APPROVED);
  await site.until('before', 'Active');
  await crowd.apply('waiting');
  await crowd.apply('edited');
  await crowd.untilState('waiting', 'Pending');
  await crowd.untilState('edited', 'Pending');
  await plane.mustKubectl(['delete', '-f', 'deploy/admission/mutating/']);
  await plane.mustKubectl(['delete', '-f', 'deploy/admission/']);
  await untilProof(0);
});

afterAll(async () => {
  await site.close();
  await plane.stop();
});

async function untilProof(value: 0 | 1): Promise<void> {
  await eventually(async () => {
    const seen = await site.operator.metric('keyward_admission_policies_proven');
    if (seen !== value) throw new Error(`proven is ${seen}`);
  }, 90_000);
}

async function readyReason(name: string): Promise<string | undefined> {
  const { status } = await crowd.form(name);
  return status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
}

test('with all policies removed a review in the name of a reviewer does not count', async () => {
  const form = await crowd.form('waiting');
  const hash = form.status?.round?.requestHash;
  await crowd.review(form, { ...APPROVED, hash, reviewer: ROBS_NAME }, MALLORY);
  await crowd.edit('edited', { purpose: 'to get in' }, MALLORY);
  const annotations = { 'keyward.dev/applicant': ANN.username };
  const forged = await crowd.apply('forged', {}, MALLORY, { annotations });
  await crowd.review(forged, { ...APPROVED, hash, reviewer: ROBS_NAME }, MALLORY);
  await eventually(async () => {
    expect(['AwaitingProof', 'IdentityUnverified']).toContain(await readyReason('forged'));
  });
  // A key without a form is issued after all of that was looked at.
  await site.issue('in-between');
  expect((await crowd.form('waiting')).status?.grant?.state ?? 'None').toBe('None');
  const keys = ['waiting', 'edited', 'forged'].map((each) => site.secret(each));
  expect(await Promise.all(keys)).toEqual([undefined, undefined, undefined]);
});

test('keys without a form go on: issued, rotated, ended; so does what was granted before', async () => {
  await site.issue('free');
  const { apiKey: first = '' } = await site.values('free');
  await site.edit('free', { rotation: { requestId: 'one', overlapSeconds: 0 } });
  await site.untilRotated('free', 'one');
  expect(await site.verdict(first)).not.toBe('Allowed');
  const { apiKey: second = '' } = await site.values('free');
  expect(await site.verdict(second)).toBe('Allowed');
  await site.remove('free');
  await site.untilGone('free');
  const { apiKey: granted = '' } = await site.values('before');
  expect(await site.verdict(granted)).toBe('Allowed');
});

test('with the policies back, nothing of that time ever counts, and honest decisions do', async () => {
  await installKeyward(plane);
  await untilProof(1);
  const reviews = ['waiting-2-mallory', 'forged-3-mallory'];
  const judged = await Promise.all(reviews.map((name) => crowd.untilJudged(name)));
  expect(judged.map((review) => accepted(review)?.reason)).toEqual([
    'IdentityUnverified',
    // The form that it is about counts for nothing itself, so there is no round to decide about.
    'HashMismatch',
  ]);
  await site.restart();
  await untilProof(1);
  // A new operator waits for its own proof first, and says so.
  await eventually(async () => expect(await readyReason('forged')).toBe('IdentityUnverified'));
  expect((await crowd.form('edited')).status?.grant?.state ?? 'None').toBe('None');
  await eventually(() => crowd.decided('waiting', APPROVED));
  await site.until('waiting', 'Active');
  expect(await site.secret('forged')).toBeUndefined();
  expect(await site.secret('edited')).toBeUndefined();
});

test('a form that was edited in that time counts again after an edit that can be believed', async () => {
  await crowd.edit('edited', { purpose: 'to sell maps' });
  await crowd.decided('edited', APPROVED);
  await site.until('edited', 'Active');
  const lines = await (await site.ledger()).auditLines({ limit: 10_000, after: 0 });
  const approvals = lines.filter(({ action }) => action === 'RoundApproved');
  expect(approvals.map(({ actor }) => actor)).toEqual([ROB.username, ROB.username, ROB.username]);
});
