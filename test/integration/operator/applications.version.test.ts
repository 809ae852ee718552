/** An API server without mutating policies: clients say themselves who they are, and are checked. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { FINALIZER, KEY_STORES } from '../../../src/api/names.ts';
import {
  accepted,
  ANN,
  Crowd,
  employ,
  MALLORY,
  REVIEWERS,
  ROB,
  SELF,
  SUE,
} from '../../support/crowd.ts';
import { Site, storeObject } from '../../support/operator.site.ts';
import { untilProven } from '../../support/operator.ts';

const APPROVED = { decision: 'Approved' } as const;

let plane: ControlPlane;
let site: Site;
let crowd: Crowd;
/** Says nothing about itself. */
let silent: Crowd;

beforeAll(async () => {
  plane = await startControlPlane({ emulatedVersion: '1.35' });
  await installKeyward(plane, { mutatingPolicies: 'leave out' });
  site = await Site.open({ access: plane, account: 'Own' });
  const { api, namespace } = site;
  await employ(api);
  const applications = { requirement: 'Always' };
  await api.create(KEY_STORES, storeObject(namespace, 'reviewed', {}, { applications }));
  crowd = new Crowd({ api, namespace, store: 'reviewed', stamps: 'Sent' });
  silent = new Crowd({ api, namespace, store: 'reviewed' });
  await crowd.register();
  await site.start();
  await untilProven(site.operator);
});

afterAll(async () => {
  await site.close();
  await plane.stop();
});

test('who does not say who he is, or says it wrongly, is refused at the door', async () => {
  await expect(silent.apply('unsaid')).rejects.toThrow(/keyward.dev\/applicant/);
  const annotations = { 'keyward.dev/applicant': SUE.username };
  await expect(silent.apply('unsaid', {}, ANN, { annotations })).rejects.toThrow(/applicant/);
  await crowd.apply('said');
  const form = await crowd.untilState('said', 'Pending');
  const hash = form.status?.round?.requestHash;
  await expect(silent.review(form, { ...APPROVED, hash }, ROB)).rejects.toThrow(/spec.reviewer/);
  const groups = [...(MALLORY.groups ?? []), REVIEWERS, 'system:authenticated'];
  const reviewer = { username: MALLORY.username, groups };
  const forged = crowd.review(form, { ...APPROVED, hash, reviewer }, MALLORY);
  await expect(forged).rejects.toThrow(/groups/);
  const edit = { purpose: 'to get in' };
  await expect(silent.edit('said', edit, ROB)).rejects.toThrow(/keyward.dev\/editors/);
});

test('with what the client says, a form is applied for, decided, issued and changed', async () => {
  await crowd.apply('whole');
  await crowd.decided('whole', { decision: 'Denied' });
  await crowd.edit('whole', { purpose: 'what was missing' });
  await crowd.decided('whole', APPROVED, SUE);
  await site.until('whole', 'Active');
  const { metadata } = await crowd.form('whole');
  expect(metadata.finalizers).toEqual([FINALIZER]);
  const { apiKey: value = '' } = await site.values('whole');
  expect(await site.verdict(value)).toBe('Allowed');
  await crowd.edit('whole', { reissue: { requestId: 'leak', reason: 'Exposed' } });
  await crowd.decided('whole', APPROVED);
  await crowd.untilForm('whole', (status) => status.lastHandledReissueRequestId === 'leak');
  expect(await site.verdict(value)).not.toBe('Allowed');
  await crowd.remove('whole');
  await crowd.untilGone('whole');
  await site.untilGone('whole');
});

test('nobody decides about what he filed or edited', async () => {
  await crowd.apply('mine', {}, SELF);
  const own = await crowd.untilJudged(await crowd.decide('mine', APPROVED, SELF));
  expect(accepted(own)?.reason).toBe('SelfReviewNotAllowed');
  await crowd.apply('edited');
  await crowd.untilState('edited', 'Pending');
  await crowd.edit('edited', { purpose: 'to get more' }, ROB);
  const edited = await crowd.untilJudged(await crowd.decide('edited', APPROVED, ROB));
  expect(accepted(edited)?.reason).toBe('SelfReviewNotAllowed');
  expect([await site.secret('mine'), await site.secret('edited')]).toEqual([undefined, undefined]);
  await crowd.decided('edited', APPROVED, SUE);
  await site.until('edited', 'Active');
});
