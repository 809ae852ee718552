import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/gate/call.ts';
import { buildValue } from '../../../src/keys/format.ts';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import { FakeClock } from '../../support/clock.ts';
import { aKeyring, issueKey } from '../../support/gate.keys.ts';
import { MemoryGateDatabase } from '../../support/gate.memory.ts';
import { Bench, showing } from './bench.ts';

const TERMS: KeyRecord['terms'] = { timeZone: 'UTC', cidrs: [], productRefs: [] };

describe('a call with a proven key', () => {
  it('is let in, and the service behind learns who calls (R2)', async () => {
    const bench = await new Bench().start();
    bench.database.putDocument('Client', { uid: 'c1', name: 'acme', state: 'Active' });
    bench.database.putDocument('Form', { uid: 'f1', name: 'maps-form' } as never);
    const key = bench.issue('a', { clientUid: 'c1', grant: { formUid: 'f1', round: 2 } });
    await bench.pass(200);
    const decision = await bench.decide(showing(key.value));
    if (decision.type === 'Refused') throw new Error(decision.refusal.cause);
    const { type, caller, headers } = decision;
    expect({ type, caller, headers }).toEqual({
      type: 'Allowed',
      caller: {
        keyId: key.keyId,
        namespace: 'shop',
        name: 'key-a',
        client: 'acme',
        application: 'maps-form',
      },
      headers: [
        'X-Keyward-Key-Id',
        key.keyId,
        'X-Keyward-Namespace',
        'shop',
        'X-Keyward-Name',
        'key-a',
        'X-Keyward-Client',
        'acme',
        'X-Keyward-Application',
        'maps-form',
      ],
    });
  });

  it('is decided at once when the record is in memory', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    expect(bench.gate.decide(showing(key.value))).toMatchObject({ type: 'Allowed' });
    expect(bench.database.asked.get('findByKeyId')).toBe(1);
  });

  it('may show both halves of a pair', async () => {
    const bench = await new Bench().start();
    const { apiKey, apiSecret } = bench.issue('a', { format: 'KeyPair' });
    await bench.pass(200);
    const credential = { type: 'Pair', apiKey, apiSecret } as const;
    expect(await bench.cause(showing('', { credential }))).toBe('Allowed');
  });

  it('is counted as usage, also without a quota (R3)', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    for (let i = 0; i < 3; i += 1) await bench.decide(showing(key.value));
    await bench.decide(showing(issueKey('b').value));
    await bench.pass(6_000);
    expect([...bench.database.usage]).toEqual([['a', { uses: 3, lastUsedMs: expect.any(Number) }]]);
  });
});

describe('a call is refused', () => {
  const wrong = (value: string): string => {
    const [prefix = '', keyId = ''] = value.split('_');
    return buildValue({ prefix, keyId, secret: 'x'.repeat(43) });
  };
  const cases: readonly [string, (value: string) => Partial<Call>][] = [
    ['HeaderNotAllowed', () => ({ isSpoofed: true })],
    ['NoKey', () => ({ credential: { type: 'None' } })],
    ['AmbiguousKey', () => ({ credential: { type: 'Ambiguous' } })],
    ['MalformedKey', (value) => ({ credential: { type: 'Value', value: value.slice(1) } })],
    ['UnknownKey', () => ({ credential: { type: 'Value', value: issueKey('x').value } })],
    ['WrongSecret', (value) => ({ credential: { type: 'Value', value: wrong(value) } })],
  ];
  it.each(cases)('as %s', async (cause, change) => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value, change(key.value)))).toBe(cause);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
  });

  const records: readonly [string, Partial<KeyRecord>][] = [
    ['KeyRevoked', { state: 'Revoked' }],
    ['KeyRevoked', { phase: 'Ending' }],
    ['KeyRevoked', { phase: 'Ended' }],
    ['KeySuspended', { state: 'Suspended' }],
    ['ClientSuspended', { clientUid: 'nobody' }],
    ['Expired', { terms: { ...TERMS, endMs: 1 } }],
    ['NotYetEffective', { terms: { ...TERMS, notBeforeMs: 9e12 } }],
    ['AddressNotAllowed', { terms: { ...TERMS, cidrs: ['10.0.0.0/8'] } }],
    [
      'OriginMissing',
      {
        terms: {
          ...TERMS,
          originPolicy: { allowed: [{ host: 'a.b' }], missing: 'Deny', unknownPath: 'Deny' },
        },
      },
    ],
    [
      'QuotaUsedUp',
      { terms: { ...TERMS, quota: { requests: 0, period: 'Lifetime', timeZone: 'UTC' } } },
    ],
  ];
  it.each(records)('as %s when the record says %j', async (cause, changes) => {
    const bench = await new Bench().start();
    const key = bench.issue('a', changes);
    await bench.pass(200);
    expect(await bench.cause(showing(key.value, { address: '192.0.2.1' }))).toBe(cause);
    expect(bench.database.asked.get('lease')).toBeUndefined();
  });

  it.each([
    ['Day', 'Asia/Seoul', Date.UTC(2026, 0, 1, 14, 59)],
    ['Month', 'UTC', Date.UTC(2026, 0, 31, 23, 59)],
  ] as const)(
    'with the time until its quota by %s of %s begins anew, and then is not',
    async (period, timeZone, startMs) => {
      const clock = new FakeClock(startMs);
      const bench = await new Bench(undefined, {}, { clock }).start();
      const quota = { requests: 1, period, timeZone } as const;
      const key = bench.issue('a', { terms: { ...TERMS, quota } });
      await bench.pass(200);
      expect(await bench.cause(showing(key.value))).toBe('Allowed');
      await bench.pass(30_000);
      const refused = await bench.decide(showing(key.value));
      if (refused.type === 'Allowed') throw new Error('let in');
      const { retryAfterSeconds = 0 } = refused;
      expect(retryAfterSeconds).toBe(Math.ceil((startMs + 60_000 - clock.nowMs()) / 1_000));
      await bench.pass((retryAfterSeconds - 1) * 1_000);
      expect(await bench.cause(showing(key.value))).toBe('QuotaUsedUp');
      await bench.pass(1_000);
      expect(await bench.cause(showing(key.value))).toBe('Allowed');
    },
  );

  it('without a time where its quota never begins anew', async () => {
    const bench = await new Bench().start();
    const quota = { requests: 1, period: 'Lifetime', timeZone: 'UTC' } as const;
    const key = bench.issue('a', { terms: { ...TERMS, quota } });
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    const refused = await bench.decide(showing(key.value));
    expect(refused).toMatchObject({ type: 'Refused', refusal: { cause: 'QuotaUsedUp' } });
    expect(refused).toHaveProperty('retryAfterSeconds', undefined);
  });

  it('when its value is of a credential that was retired', async () => {
    const bench = await new Bench().start();
    const key = issueKey('a');
    const [credential] = key.record.credentials;
    const retireAtMs = bench.clock.nowMs() + 10_000;
    bench.database.put({
      ...key.record,
      credentials: [{ ...credential!, state: 'Retiring', retireAtMs }],
    });
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    await bench.pass(10_000);
    expect(await bench.cause(showing(key.value))).toBe('ValueReplaced');
  });

  it('with the words of the store only after its holder has proven himself', async () => {
    const bench = await new Bench().start();
    bench.database.putDocument('Store', { uid: 'store-1', profile: 'VisitSeoul' });
    const key = bench.issue('a', { state: 'Suspended' });
    await bench.pass(200);
    expect(await bench.decide(showing(key.value))).toMatchObject({ profile: 'VisitSeoul' });
    expect(await bench.decide(showing(wrong(key.value)))).toMatchObject({ profile: 'Keyward' });
  });
});

describe('what changes in the database', () => {
  it('is known within one look, whatever it is', async () => {
    const bench = await new Bench().start();
    bench.database.putDocument('Client', { uid: 'c1', name: 'acme', state: 'Active' });
    const key = bench.issue('a', { clientUid: 'c1' });
    await bench.pass(200);
    const call = showing(key.value);
    const { database } = bench;
    const expectAfter = async (change: () => void, cause: string): Promise<void> => {
      change();
      await bench.pass(100);
      expect(await bench.cause(call)).toBe(cause);
    };
    const client = (state: 'Active' | 'Suspended' | 'Revoked', phase: 'Live' | 'Ended' = 'Live') =>
      database.putDocument('Client', { uid: 'c1', name: 'acme', state, phase });
    const hold = (state?: 'Suspended' | 'Revoked') => {
      const why = { reviewUid: 'r', reviewer: 'ann', message: '', sinceMs: 0 };
      const held = state && { held: { ...why, state } };
      database.putDocument('Hold', { uid: 'a', name: 'key-a', ...held });
    };
    await expectAfter(() => undefined, 'Allowed');
    await expectAfter(() => client('Suspended'), 'ClientSuspended');
    await expectAfter(() => client('Active'), 'Allowed');
    await expectAfter(() => client('Revoked'), 'KeyRevoked');
    await expectAfter(() => client('Active', 'Ended'), 'ClientSuspended');
    await expectAfter(() => client('Active'), 'Allowed');
    await expectAfter(() => hold('Suspended'), 'KeySuspended');
    await expectAfter(() => hold('Revoked'), 'KeyRevoked');
    await expectAfter(() => hold(), 'Allowed');
    await expectAfter(() => database.put({ ...key.record, state: 'Revoked' }), 'KeyRevoked');
  });

  it('lets a value in that came by rotation, and no longer the one before', async () => {
    const bench = await new Bench().start();
    const old = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing(old.value))).toBe('Allowed');
    const fresh = issueKey('a');
    bench.database.put(fresh.record);
    await bench.pass(100);
    expect(await bench.cause(showing(fresh.value))).toBe('Allowed');
    expect(await bench.cause(showing(old.value))).toBe('UnknownKey');
  });

  it('while a record is being read makes it be read again', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    const { database } = bench;
    let reads = 0;
    // What was read was Active; before the answer arrives the gate hears that the key was revoked.
    database.after = async (method) => {
      if (method !== 'findByKeyId') return;
      reads += 1;
      if (reads > 1) return;
      database.put({ ...key.record, state: 'Revoked' });
      await bench.pass(100);
    };
    expect(await bench.cause(showing(key.value))).toBe('KeyRevoked');
    expect(reads).toBe(2);
  });

  it('again and again while a record is being read is a no', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    bench.database.after = async (method) => {
      if (method !== 'findByKeyId') return;
      bench.database.put(key.record);
      await bench.pass(100);
    };
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
  });
});

describe('unknown ids', () => {
  it('never reach the database and never push out what is known', async () => {
    const bench = await new Bench(new MemoryGateDatabase(), { recordsMax: 10 }).start();
    const key = bench.issue('a');
    await bench.pass(200);
    await bench.decide(showing(key.value));
    for (let i = 0; i < 500; i += 1) {
      expect(await bench.cause(showing(issueKey('x').value))).toBe('UnknownKey');
    }
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    expect(bench.database.asked.get('findByKeyId')).toBe(1);
  });

  it('that are gone from the database are asked for once', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    bench.database.records.delete('a');
    for (let i = 0; i < 5; i += 1) {
      expect(await bench.cause(showing(key.value))).toBe('UnknownKey');
    }
    expect(bench.database.asked.get('findByKeyId')).toBe(1);
  });
});

describe('a database that cannot be asked', () => {
  it('is a no from the start on, until it is there', async () => {
    const database = new MemoryGateDatabase();
    database.trouble.set('*', 'Fails');
    const bench = new Bench(database);
    const key = bench.issue('a');
    await bench.start();
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    expect(bench.gate.failing()).toBe('the database cannot be reached');
    database.trouble.clear();
    await bench.pass(5_000);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    expect(bench.gate.failing()).toBeUndefined();
  });

  it.each(['Fails', 'Hangs'] as const)('and %s later is a no after the limit', async (how) => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    bench.database.trouble.set('*', how);
    await bench.pass(14_000);
    // What is in memory is still good; what is not cannot be known.
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    await bench.pass(1_200);
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    expect(bench.gate.failing()).not.toBeUndefined();
    bench.database.trouble.clear();
    await bench.pass(40_000);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    expect(bench.gate.failing()).toBeUndefined();
  });

  it('does not hang calls', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    bench.database.trouble.set('findByKeyId', 'Hangs');
    const decision = bench.gate.decide(showing(key.value));
    await bench.pass(1_000);
    expect(await decision).toMatchObject({ refusal: { cause: 'StateUnknown' } });
  });

  it('has a bound on open questions', async () => {
    const bench = await new Bench().start();
    const keys = Array.from({ length: 600 }, (_, i) => bench.issue(`k${i}`));
    await bench.pass(300);
    bench.database.trouble.set('findByKeyId', 'Hangs');
    const decisions = keys.map(async ({ value }) => bench.gate.decide(showing(value)));
    await bench.pass(1_000);
    const causes = (await Promise.all(decisions)).map((each) => each.type);
    expect(new Set(causes)).toEqual(new Set(['Refused']));
    expect(bench.database.asked.get('findByKeyId')).toBe(512);
  });

  it('that was restored is read anew, and its leases are void', async () => {
    const bench = await new Bench().start();
    const quota = { requests: 100, period: 'Lifetime', timeZone: 'UTC' } as const;
    const key = bench.issue('a', { terms: { ...TERMS, quota } });
    const later = bench.issue('b');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    expect(await bench.cause(showing(later.value))).toBe('Allowed');
    const { database } = bench;
    database.records.delete('b');
    database.leases.clear();
    database.identity = { ...database.identity, incarnation: 'life-2' };
    // The look that notices it ends the view at once.
    database.trouble.set('keyIds', 'Hangs');
    await bench.pass(500);
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    database.trouble.clear();
    await bench.pass(20_000);
    expect(await bench.cause(showing(later.value))).toBe('UnknownKey');
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    expect([...database.leases.values()]).toHaveLength(1);
  });

  it('that is older than it was is not believed, until it is marked as restored', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    const { database } = bench;
    database.records.set('a', { ...key.record, state: 'Suspended' });
    database.identity = { ...database.identity, commitCounter: 0 };
    await bench.pass(3_000);
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    expect(bench.gate.failing()).toMatch(/old copy/);
    database.identity = { ...database.identity, incarnation: 'life-2' };
    await bench.pass(3_000);
    expect(await bench.cause(showing(key.value))).toBe('KeySuspended');
  });

  it('that needs another master key is a no', async () => {
    const database = new MemoryGateDatabase();
    database.versions = [{ version: 1, checkValue: 'of another key' }];
    const bench = new Bench(database);
    const key = bench.issue('a');
    await bench.start();
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    expect(bench.gate.failing()).toMatch(/another master key/);
  });
});

describe('a value of a Dual key', () => {
  it('ends at the instant of its slot, without the operator, and the other goes on', async () => {
    const bench = await new Bench().start();
    const key = issueKey('a');
    const [credential] = key.record.credentials;
    const [slot] = credential!.slots;
    const retireAtMs = bench.clock.nowMs() + 10_000;
    const slots = [
      { ...slot!, name: 'primaryKey', digest: new Uint8Array(32) },
      { ...slot!, name: 'secondaryKey', role: 'Standby', retireAtMs },
    ] as const;
    bench.database.put({ ...key.record, credentials: [{ ...credential!, slots }] });
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    await bench.pass(10_000);
    expect(await bench.cause(showing(key.value))).toBe('WrongSecret');
  });
});

describe('a call that waited', () => {
  const quota = { requests: 10, period: 'Lifetime', timeZone: 'UTC' } as const;

  it('is let in when its record was let go for others that were read at the same time', async () => {
    const bench = await new Bench(new MemoryGateDatabase(), { recordsMax: 2 }).start();
    const keys = Array.from({ length: 6 }, (_, i) => bench.issue(`k${i}`));
    await bench.pass(200);
    const causes = await Promise.all(keys.map(({ value }) => bench.cause(showing(value))));
    expect(causes).toEqual(keys.map(() => 'Allowed'));
  });

  it.each(['Active', 'Suspended'] as const)(
    'for a use is decided anew when its key changed and is %s, and costs one use or none',
    async (state) => {
      const bench = await new Bench().start();
      const key = bench.issue('a', { terms: { ...TERMS, quota } });
      await bench.pass(200);
      expect(await bench.cause(showing(key.value))).toBe('Allowed');
      await bench.pass(20_000);
      const { database } = bench;
      expect([...database.spent.values()]).toEqual([1]);
      database.before = async (method) => {
        if (method !== 'lease') return;
        database.before = () => undefined;
        database.put({ ...key.record, state });
        await bench.pass(200);
      };
      const isActive = state === 'Active';
      expect(await bench.cause(showing(key.value))).toBe(isActive ? 'Allowed' : 'KeySuspended');
      await bench.pass(20_000);
      expect([...database.spent.values()]).toEqual([isActive ? 2 : 1]);
    },
  );

  it('for a use that is refused because nobody knows any more costs none', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a', { terms: { ...TERMS, quota } });
    await bench.pass(200);
    const { database } = bench;
    database.before = (method) => {
      if (method === 'lease') bench.clock.step(3_600_000);
    };
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    database.before = () => undefined;
    await bench.pass(20_000);
    expect([...database.spent.values()].reduce((sum, spent) => sum + spent, 0)).toBe(0);
  });

  it('and whose key changes again and again is a no at last', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a', { terms: { ...TERMS, quota } });
    await bench.pass(200);
    const { database } = bench;
    database.before = async (method) => {
      if (method !== 'lease' && method !== 'findByKeyId') return;
      database.put(key.record);
      await bench.pass(200);
    };
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
  });
});

describe('clocks', () => {
  it('that jump ahead age the view until the next look', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    bench.clock.step(3_600_000);
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
  });

  it('that jump back change nothing about the view', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    bench.clock.step(-3_600_000);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    bench.database.trouble.set('*', 'Fails');
    await bench.pass(16_000);
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
  });
});

describe('what goes wrong inside', () => {
  it('is a no: a master key version that is missing', async () => {
    const bench = await new Bench().start();
    const two = aKeyring(
      `v2:${Buffer.from([...Array(32).keys()].toReversed()).toString('base64')}`,
    );
    const key = bench.issue('a', {}, two);
    await bench.pass(200);
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
  });

  it('is a no: a record that nobody can read', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    bench.database.records.set('a', { ...key.record, terms: undefined } as never);
    expect(await bench.cause(showing(key.value))).toBe('StateUnknown');
  });

  it('is a no: a call that is no call', async () => {
    const bench = await new Bench().start();
    expect(await bench.cause({ profile: 'Keyward' } as never)).toBe('StateUnknown');
  });
});
