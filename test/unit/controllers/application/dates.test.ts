/** Days that a form names: what they are counted from, and what they say about the grant. */
import { describe, expect, test } from 'vitest';
import { API_KEYS } from '../../../../src/api/names.ts';
import { DAY_MS, formatTime } from '../../../../src/kernel/time.ts';
import { bindKey } from '../../../../src/ledger/formchanges.ts';
import type { ValiditySpec } from '../../../../src/terms/terms.ts';
import { aFormStore, REF, someRules, Workshop } from './workshop.ts';

/** Its key is issued now, as the controller of keys commits it. */
function issue(at: Workshop): void {
  const keyUid = at.key()?.metadata.uid ?? '';
  at.commit(bindKey(at.record(), { keyUid, atMs: at.clock.nowMs() }));
}

/** A form whose grant begins on 1 February, and is not issued yet. */
async function scheduled(validity: ValiditySpec, maxDurationDays?: number): Promise<Workshop> {
  const at = new Workshop();
  if (maxDurationDays !== undefined) at.store = aFormStore({ maxDurationDays });
  await at.submit({ terms: { validity: { effectiveDate: '2026-02-01', ...validity } } });
  await at.decide('Approved');
  return at;
}

/** Another edit of the validity. */
async function change(at: Workshop, validity: ValiditySpec): Promise<void> {
  at.edit({ terms: { validity } });
  await at.pass();
}

describe('a change before the first issue', () => {
  test.each<[string, ValiditySpec, number | undefined]>([
    ['a duration', { effectiveDate: '2026-03-15', durationDays: 30 }, undefined],
    ['a limit of the store', { effectiveDate: '2026-03-15', expirationDate: '2026-04-10' }, 30],
    ['the default length', { effectiveDate: '2026-03-15' }, 30],
  ])(
    'counts %s from what can be issued before it, and is not reviewed where that leaves nothing',
    async (_, validity, maxDurationDays) => {
      const at = await scheduled({ durationDays: 30 }, maxDurationDays);
      await change(at, validity);
      expect(at.status.state).toBe('Incomplete');
      expect(at.condition('Ready')?.message).toContain('spec.terms.validity.');
      expect(at.record().round?.number).toBe(1);
    },
  );

  test('ends when it was said to end, although the key is issued before it', async () => {
    const at = await scheduled({ durationDays: 30 });
    await change(at, { effectiveDate: '2026-02-15', durationDays: 60 });
    await at.decide('Approved');
    const expirationTime = '2026-04-02T00:00:00Z';
    expect(at.status.nextGrant).toMatchObject({ round: 2, expirationTime });
    at.clock.advance(Date.UTC(2026, 1, 1) - at.clock.nowMs());
    issue(at);
    await at.passDays(20);
    expect(at.status.grant).toMatchObject({ round: 2, state: 'InForce', expirationTime });
  });

  test('counts from its own start where that is the earlier one', async () => {
    const at = await scheduled({ durationDays: 30 }, 30);
    await change(at, { effectiveDate: '2026-01-20', expirationDate: '2026-02-28' });
    expect(at.status.state).toBe('Incomplete');
    await change(at, { effectiveDate: '2026-01-20', durationDays: 30 });
    await at.decide('Approved');
    expect(at.status.grant?.expirationTime).toBe('2026-02-19T00:00:00Z');
  });
});

test('a grant whose terms cannot be is not in force, says why, and gets no ApiKey', async () => {
  const at = await scheduled({ durationDays: 30 });
  at.cluster.set(API_KEYS, REF, undefined);
  at.clock.advance(40 * DAY_MS);
  const { grant, ...rest } = at.record();
  if (grant === undefined) throw new Error('there is a grant');
  // As another build approved it.
  const validity = { effectiveDate: '2026-02-01', timeZone: 'Moon/Tycho' };
  at.commit({ ...rest, grant: { ...grant, content: { ...grant.content, terms: { validity } } } });
  await change(at, validity);
  expect(at.status.grant?.state).toBe('Expired');
  for (const type of ['Ready', 'Effective']) {
    expect(at.condition(type)).toMatchObject({ status: 'False', reason: 'Expired' });
    expect(at.condition(type)?.message).toContain(
      'spec.terms.validity.timeZone names the unknown time zone "Moon/Tycho"',
    );
  }
  expect(at.key()).toBeUndefined();
});

describe('a grant that nobody has issued', () => {
  test('does not end by a length, which begins with the first issue', async () => {
    const at = await scheduled({ durationDays: 30 });
    await at.passDays(100);
    expect(at.status.grant?.state).toBe('InForce');
    expect(at.status.grant).not.toHaveProperty('expirationTime');
    issue(at);
    await at.pass();
    const expirationTime = formatTime(at.clock.nowMs() + 30 * DAY_MS);
    expect(at.status.grant).toMatchObject({ state: 'InForce', expirationTime });
  });

  test('ends by a date all the same', async () => {
    const at = await scheduled({ expirationDate: '2026-02-28' });
    await at.passDays(100);
    expect(at.status.grant?.state).toBe('Expired');
  });
});

describe('the approved day of a revocation', () => {
  /** A form of which an end was approved in UTC, after which the zone of its terms was moved to the east. */
  async function movedEast(requiredFor: readonly ('Issue' | 'Change')[] | undefined) {
    const at = new Workshop();
    if (requiredFor) at.store = aFormStore({ rules: someRules({ requiredFor: [...requiredFor] }) });
    await at.submit({ terms: { validity: { timeZone: 'UTC' } } });
    await at.decide('Approved');
    issue(at);
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-06-30' } });
    await at.pass();
    if (!requiredFor) await at.decide('Approved');
    expect(at.record().revocation?.atMs).toBe(Date.UTC(2026, 5, 30));
    await change(at, { timeZone: 'Asia/Seoul' });
    return at;
  }

  test.each([{ requiredFor: undefined }, { requiredFor: ['Issue', 'Change'] as const }])(
    'stays as it is in another time zone, and asks for nothing (reviewed: $requiredFor)',
    async ({ requiredFor }) => {
      const at = await movedEast(requiredFor);
      expect(at.record().round).toMatchObject({ number: 3, type: 'Change' });
      await at.decide('Approved');
      expect(at.record().grant?.content.terms.validity?.timeZone).toBe('Asia/Seoul');
      expect(at.record().round?.number).toBe(3);
      expect(at.record().revocation?.atMs).toBe(Date.UTC(2026, 5, 30));
      at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-06-29' } });
      await at.pass();
      expect(at.record().round).toMatchObject({ number: 4, type: 'Revoke' });
    },
  );

  test('stays as well where only its instant is known, and an earlier one is asked for', async () => {
    const at = await movedEast(undefined);
    const { revocation } = at.record();
    if (revocation === undefined) throw new Error('an end was approved');
    const { effectiveDate: _, ...known } = revocation;
    at.commit({ ...at.record(), revocation: known });
    await at.decide('Approved');
    expect(at.record().round).toMatchObject({ number: 3, type: 'Change' });
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-06-29' } });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 4, type: 'Revoke' });
  });

  test.each<[string, ValiditySpec, string]>([
    ['the end of the terms, where that comes first', {}, '2026-04-01T00:00:00Z'],
    [
      'the end of a change that comes before that',
      { effectiveDate: '2026-03-01', expirationDate: '2026-05-31' },
      '2026-06-01T00:00:00Z',
    ],
    [
      'nothing, where a change goes on until then',
      { effectiveDate: '2026-03-01' },
      '2026-06-30T00:00:00Z, when its revocation takes effect',
    ],
  ])('yields in Ready and Effective to %s', async (_, changed, end) => {
    const at = new Workshop();
    await at.submit({ terms: { validity: { expirationDate: '2026-03-31' } } });
    await at.decide('Approved');
    issue(at);
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-06-30' } });
    await at.pass();
    await at.decide('Approved');
    if (Object.keys(changed).length > 0) {
      await change(at, changed);
      await at.decide('Approved');
    }
    for (const type of ['Ready', 'Effective']) {
      expect(at.condition(type)).toMatchObject({ reason: 'InForce' });
      expect(at.condition(type)?.message.endsWith(` until ${end}`)).toBe(true);
    }
  });

  test('is not moved back by an earlier day of a zone far to the west', async () => {
    const at = new Workshop();
    await at.submit({ terms: { validity: { timeZone: 'Pacific/Kiritimati' } } });
    await at.decide('Approved');
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-06-30' } });
    await at.pass();
    await at.decide('Approved');
    await change(at, { timeZone: 'Pacific/Pago_Pago' });
    await at.decide('Approved');
    at.edit({ revocation: { justification: 'Over', effectiveDate: '2026-06-29' } });
    await at.pass();
    expect(at.record().round?.number).toBe(3);
    expect(at.record().revocation?.atMs).toBe(Date.UTC(2026, 5, 29, 10));
  });
});
