/** What goes wrong around forms, on the real operator: several keys, side doors, crowds. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_KEYS, KEY_STORES } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { accepted, ANN, Crowd, employ, ROB, SUE } from '../../support/crowd.ts';
import { eventually } from '../../support/eventually.ts';
import { untilProven } from '../../support/operator.ts';
import { condition, Site, storeObject } from '../../support/operator.site.ts';
import { inParallel } from '../../support/parallel.ts';

/** On a machine that is busy with other suites. */
const LONG = { timeout: 240_000 };
const APPROVED = { decision: 'Approved' } as const;
const DENIED = { decision: 'Denied' } as const;

let site: Site;
let crowd: Crowd;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), flags: { 'loss-grace-seconds': '1' } });
  const { api, namespace } = site;
  await employ(api);
  const applications = { requirement: 'Always' };
  await api.create(KEY_STORES, storeObject(namespace, 'reviewed', {}, { applications }));
  crowd = new Crowd({ api, namespace, store: 'reviewed' });
  await crowd.register();
  await site.start();
  await untilProven(site.operator);
});

afterAll(() => site.close());

async function createKey(name: string, form: string, spec: object = {}): Promise<void> {
  const { api, namespace } = site;
  const whole = { applicationRef: { name: form }, ...spec };
  await api.as(ANN).create(API_KEYS, { metadata: { name, namespace }, spec: whole });
}

async function granted(name: string, spec: object = {}): Promise<void> {
  await crowd.apply(name, spec);
  await crowd.decided(name, APPROVED);
  await site.until(name, 'Active');
}

/** KeyIssued of each key of these forms. */
async function issues(): Promise<readonly string[]> {
  const lines = await (await site.ledger()).auditLines({ limit: 1_000_000, after: 0 });
  return lines.filter(({ action }) => action === 'KeyIssued').map(({ uid }) => uid);
}

describe('several keys on one form', () => {
  test('get one key: the one that the form names, whoever was first', async () => {
    await createKey('second', 'shared');
    await createKey('shared', 'shared');
    await crowd.apply('shared');
    await crowd.decided('shared', APPROVED);
    await site.until('shared', 'Active');
    await site.until('second', 'ApplicationInUse');
    await createKey('third', 'shared');
    await site.until('third', 'ApplicationInUse');
    expect([await site.secret('second'), await site.secret('third')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('nor does the other one take over when the first is gone', async () => {
    await createKey('heir', 'estate');
    await granted('estate');
    await site.remove('estate');
    await site.untilGone('estate');
    const key = await site.until('heir', 'ApplicationInUse');
    expect(condition(key, 'Ready')?.message).toContain("'estate'");
    expect(await site.secret('heir')).toBeUndefined();
    expect(await site.record(key.metadata.uid)).toBeUndefined();
  });

  test('a key that is there and names no form is not taken, though the form is approved', async () => {
    await site.issue('own');
    const { apiKey: before = '' } = await site.values('own');
    await crowd.apply('own');
    await crowd.decided('own', APPROVED);
    await crowd.untilForm('own', ({ conditions = [] }) =>
      conditions.some(({ type, reason }) => type === 'Ready' && reason === 'ApiKeyConflict'),
    );
    const { apiKey: after = '' } = await site.values('own');
    expect(after).toBe(before);
  });
});

describe('no way around the review of a reissue', () => {
  test('through a slot, or another format', async () => {
    await granted('dual', { format: 'Dual' });
    const before = await site.values('dual');
    await site.edit('dual', { rotation: { requestId: 'r1', slot: 'Secondary' } });
    await site.until('dual', 'ReissueRequired');
    expect(await site.values('dual')).toEqual(before);
    await expect(crowd.edit('dual', { format: 'Opaque' })).rejects.toThrow(/format/);
    await site.edit('dual', { rotation: null });
    await site.until('dual', 'Active');
    expect(await site.values('dual')).toEqual(before);
  });

  test('through another store, or the same form submitted again', async () => {
    await granted('settled');
    const { apiKey: before } = await site.values('settled');
    const elsewhere = { storeRef: { kind: 'KeyStore', name: 'plain' } };
    await expect(crowd.edit('settled', elsewhere)).rejects.toThrow(/storeRef/);
    await expect(site.edit('settled', elsewhere)).rejects.toThrow(/applicationRef/);
    await crowd.edit('settled', { submissionId: 'once more' });
    await crowd.untilForm('settled', () => true);
    expect((await site.values('settled'))['apiKey']).toBe(before);
  });

  test('through the same wish twice: a spent one never acts again', async () => {
    await granted('spent');
    const wish = { requestId: 'first', reason: 'Routine' };
    await crowd.edit('spent', { reissue: wish });
    await crowd.decided('spent', APPROVED, SUE);
    const done = await crowd.untilForm(
      'spent',
      ({ lastHandledReissueRequestId }) => lastHandledReissueRequestId === 'first',
    );
    const { apiKey: once } = await site.values('spent');
    await crowd.edit('spent', { reissue: null });
    await crowd.edit('spent', { reissue: wish });
    const again = await crowd.untilForm('spent', () => true);
    expect(again.status?.round?.number).toBe(done.status?.round?.number);
    expect((await site.values('spent'))['apiKey']).toBe(once);
  });
});

test('a form that is recreated gets nothing by the review of the one before it', async () => {
  const old = await crowd.apply('phoenix');
  await crowd.untilState('phoenix', 'Pending');
  await crowd.remove('phoenix');
  await crowd.untilGone('phoenix');
  await crowd.apply('phoenix');
  const form = await crowd.untilState('phoenix', 'Pending');
  const hash = form.status?.round?.requestHash;
  const review = await crowd.untilJudged(await crowd.review(old, { ...APPROVED, hash }, ROB));
  expect(accepted(review)?.reason).toBe('ApplicationReplaced');
  expect((await crowd.form('phoenix')).status?.state).toBe('Pending');
  expect(await site.secret('phoenix')).toBeUndefined();
});

test('approve and deny at the same instant, again and again: one of them decides, and alone', async () => {
  const names = Array.from({ length: 20 }, (_, nth) => `duel-${nth}`);
  await inParallel(names, 10, async (name) => {
    await crowd.apply(name);
    const form = await crowd.untilState(name, 'Pending');
    const hash = form.status?.round?.requestHash;
    const reviews = await Promise.all([
      crowd.review(form, { ...APPROVED, hash }, ROB),
      crowd.review(form, { ...DENIED, hash }, SUE),
    ]);
    const judged = await Promise.all(reviews.map((review) => crowd.untilJudged(review)));
    const [yes = '', no = ''] = judged.map((review) => accepted(review)?.reason);
    expect([yes, no].toSorted()).toEqual(['AlreadyDecided', 'Decisive']);
    const decided = await crowd.untilForm(name, ({ state }) => state !== 'Pending');
    const isApproved = yes === 'Decisive';
    expect(decided.status?.state).toBe(isApproved ? 'Approved' : 'Denied');
    if (isApproved) await site.until(name, 'Active');
    expect((await site.secret(name)) !== undefined).toBe(isApproved);
  });
});

test('an edit while the approval is on its way: granted is what was read, or nothing', async () => {
  const names = Array.from({ length: 24 }, (_, nth) => `moving-${nth}`);
  const outcomes = await inParallel(names, 8, async (name) => {
    await crowd.apply(name, { purpose: 'maps' });
    const read = await crowd.untilState(name, 'Pending');
    const hash = read.status?.round?.requestHash ?? '';
    const edit = (): Promise<unknown> => crowd.edit(name, { purpose: 'to get more' });
    const approve = (): Promise<string> => crowd.review(read, { ...APPROVED, hash }, ROB);
    const isEditFirst = Number(name.slice(-1)) % 2 === 0;
    const [review] = isEditFirst
      ? await Promise.all([edit(), approve()]).then(([, made]) => [made])
      : await Promise.all([approve(), edit()]);
    const reason = accepted(await crowd.untilJudged(review))?.reason;
    const { status } = await crowd.untilForm(name, ({ round }) => round?.number === 2);
    expect(status?.state).toBe('Pending');
    expect([reason, status?.round?.type, status?.grant?.hash ?? 'none']).toEqual(
      reason === 'Decisive' ? [reason, 'Change', hash] : ['HashMismatch', 'Issue', 'none'],
    );
    return reason;
  });
  expect(outcomes).toHaveLength(names.length);
});

test('200 forms that are approved within a moment: each is issued, and once', LONG, async () => {
  const names = Array.from({ length: 200 }, (_, nth) => `crowd-${nth}`);
  const before = (await issues()).length;
  await inParallel(names, 16, (name) => crowd.apply(name));
  const forms = await inParallel(names, 16, (name) => crowd.untilState(name, 'Pending'));
  const startMs = performance.now();
  await inParallel(forms, 16, (form) =>
    crowd.review(form, { ...APPROVED, hash: form.status?.round?.requestHash }, ROB),
  );
  const approvedMs = performance.now() - startMs;
  await eventually(async () => {
    expect(await activeAmong(names)).toBe(names.length);
  }, 90_000);
  const issuedMs = performance.now() - startMs;
  const all = await issues();
  expect(all).toHaveLength(before + names.length);
  expect(new Set(all).size).toBe(all.length);
  console.log(
    `report: 200 reviews written in ${Math.round(approvedMs)} ms, all keys issued after ${Math.round(issuedMs)} ms`,
  );
});

async function activeAmong(names: readonly string[]): Promise<number> {
  const wanted = new Set(names);
  const keys = await site.api.list(API_KEYS, site.namespace);
  // Asked for by kind; the schema fills in status.
  return keys.filter((key) => {
    const ready = condition(key as never, 'Ready');
    return wanted.has(key.metadata.name) && ready?.reason === 'Active';
  }).length;
}
