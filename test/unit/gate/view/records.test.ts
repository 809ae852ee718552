import { describe, expect, it } from 'vitest';
import { Records, type RecordSource } from '../../../../src/gate/view/records.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import { FakeClock } from '../../../support/clock.ts';
import { issueKey } from '../../../support/gate.keys.ts';

/** Answers when a test says so. */
class SlowSource implements RecordSource {
  readonly records = new Map<string, KeyRecord>();
  readonly open: (() => void)[] = [];
  asked = 0;

  async findByKeyId(keyId: string): Promise<KeyRecord | undefined> {
    this.asked += 1;
    const found = [...this.records.values()].find(({ credentials }) =>
      credentials.some((each) => each.keyId === keyId),
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    this.open.push(resolve);
    await promise;
    return found;
  }

  answer(): void {
    for (const resolve of this.open.splice(0)) resolve();
  }
}

function bench(recordsMax = 100, loadsMax = 100) {
  const source = new SlowSource();
  const clock = new FakeClock();
  const records = new Records({ recordsMax, loadsMax }, clock);
  const issue = (uid: string) => {
    const key = issueKey(uid);
    source.records.set(uid, key.record);
    return key;
  };
  const load = async (keyId: string) => {
    const loading = records.load(keyId, source);
    source.answer();
    return loading;
  };
  return { clock, source, records, issue, load };
}

describe('records', () => {
  it('are asked for once by all who want them at the same time', async () => {
    const { source, records, issue } = bench();
    const { keyId } = issue('a');
    const all = Promise.all([1, 2, 3].map(() => records.load(keyId, source)));
    source.answer();
    const [first, ...others] = await all;
    expect(first).toMatchObject({ keyId });
    for (const other of others) expect(other).toBe(first);
    expect(source.asked).toBe(1);
    expect(records.get(keyId)).toBe(first);
  });

  it('that changed are forgotten, and who holds one can tell', async () => {
    const { records, issue, load } = bench();
    const { keyId } = issue('a');
    const held = await load(keyId);
    records.forget(['b']);
    expect(records.get(keyId)).toBe(held);
    records.forget(['a']);
    expect(records.get(keyId)).toBeUndefined();
    expect(held).toMatchObject({ key: { isOutdated: true } });
  });

  it('that changed while they were read are read again', async () => {
    const { source, records, issue } = bench();
    const { keyId, record } = issue('a');
    const loading = records.load(keyId, source);
    source.records.set('a', { ...record, state: 'Suspended' });
    records.forget(['a']);
    source.answer();
    await Promise.resolve();
    await new Promise(setImmediate);
    source.answer();
    expect(await loading).toMatchObject({ key: { state: 'Suspended' } });
    expect(source.asked).toBe(2);
  });

  it('that were asked for before everything was forgotten are worth nothing', async () => {
    const { source, records, issue } = bench();
    const { keyId } = issue('a');
    const loading = records.load(keyId, source);
    records.clear();
    source.answer();
    await expect(loading).rejects.toMatchObject({ reason: 'RecordUnsettled' });
    expect(records.get(keyId)).toBeUndefined();
  });

  it('that nobody answers for are asked for anew after a second, and the late answer is dropped', async () => {
    const { clock, source, records, issue } = bench();
    const { keyId, record } = issue('a');
    const first = records.load(keyId, source);
    const late = source.open.splice(0);
    clock.advance(1_000);
    await expect(first).rejects.toMatchObject({ reason: 'TimedOut' });
    source.records.set('a', { ...record, state: 'Suspended' });
    const second = records.load(keyId, source);
    for (const answer of late) answer();
    await new Promise(setImmediate);
    expect(records.get(keyId)).toBeUndefined();
    source.answer();
    expect(await second).toMatchObject({ key: { state: 'Suspended' } });
  });

  it('are kept up to the bound, the last used longest; a record that is let go is no longer current', async () => {
    const { records, issue, load } = bench(10);
    const often = issue('often');
    const first = issue('first');
    const oftenHeld = await load(often.keyId);
    const firstHeld = await load(first.keyId);
    for (let i = 0; i < 50; i += 1) {
      await load(issue(`k${i}`).keyId);
      expect(records.get(often.keyId)).toBe(oftenHeld);
      expect(records.size).toBeLessThanOrEqual(11);
    }
    expect(records.get(first.keyId)).toBeUndefined();
    expect(firstHeld).toMatchObject({ key: { isOutdated: true } });
    expect(oftenHeld).toMatchObject({ key: { isOutdated: false } });
  });

  it('are all kept where there is room for exactly so many, in whichever order they come', async () => {
    const { source, records, issue, load } = bench(10);
    const keys = Array.from({ length: 10 }, (_, i) => issue(`k${i}`));
    for (const { keyId } of keys) await load(keyId);
    for (let round = 0; round < 3; round += 1) {
      for (const { keyId } of keys) expect(records.get(keyId)).toMatchObject({ keyId });
    }
    expect(source.asked).toBe(10);
  });

  it('with more credentials than there is room for are kept alone', async () => {
    const { source, records, load } = bench(2);
    const { record, keyId } = issueKey('wide');
    const credentials = ['x', 'y', 'z'].map((name) => ({
      ...record.credentials[0]!,
      keyId: name === 'x' ? keyId : name.repeat(16),
    }));
    source.records.set('wide', { ...record, credentials });
    await load(keyId);
    expect(records.size).toBe(3);
    for (const uid of ['a', 'b', 'c']) {
      const other = issueKey(uid);
      source.records.set(uid, other.record);
      expect(await load(other.keyId)).toMatchObject({ key: { uid, isOutdated: false } });
      expect(records.size).toBeLessThanOrEqual(4);
    }
    expect(records.get(keyId)).toBeUndefined();
  });

  it('of ids without a credential are remembered apart, and push nothing out', async () => {
    const { source, records, issue, load } = bench(4);
    const { keyId } = issue('a');
    const held = await load(keyId);
    for (let i = 0; i < 20; i += 1) expect(await load(issueKey('x').keyId)).toBe('Gone');
    expect(records.get(keyId)).toBe(held);
    const gone = issueKey('late');
    await load(gone.keyId);
    expect(records.get(gone.keyId)).toBe('Gone');
    source.records.set('late', gone.record);
    records.appeared([gone.keyId]);
    expect(records.get(gone.keyId)).toBeUndefined();
  });

  it('take a credential that is no longer in the record with them', async () => {
    const { source, records, issue, load } = bench();
    const before = issue('a');
    await load(before.keyId);
    const after = issueKey('a');
    source.records.set('a', after.record);
    await load(after.keyId);
    expect(records.get(before.keyId)).toBeUndefined();
  });

  it('are not asked for without end', async () => {
    const { source, records } = bench(100, 2);
    const open = [issueKey('a'), issueKey('b')].map(({ keyId }) => records.load(keyId, source));
    await expect(records.load(issueKey('c').keyId, source)).rejects.toMatchObject({
      reason: 'TooManyLoads',
    });
    source.answer();
    expect(await Promise.all(open)).toEqual(['Gone', 'Gone']);
  });
});
