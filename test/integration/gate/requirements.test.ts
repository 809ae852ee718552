/** What the seeds' systems promise of keys that are shown, through a real nginx as we ship it. */
import { expect, test } from 'vitest';
import { openGateLedger } from '../../../src/ledger/open.ts';
import { Books, type BookedKey } from '../../support/gate.books.ts';
import { eventually } from '../../support/eventually.ts';
import { describeBehind } from '../../support/gate.suite.ts';

const DAY_MS = 86_400_000;
const SITE = 'https://www.myservice.com';
/** Terms in days need a zone in which it is not midnight just now; noon is never far from one of these. */
const ZONES = ['Asia/Seoul', 'UTC', 'America/Los_Angeles'] as const;

/** The local date in a zone, days from now. */
function dateIn(timeZone: string, days: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone }).format(Date.now() + days * DAY_MS);
}

/** The zone in which the day has most of its middle hours left and behind. */
function quietZone(): string {
  const distance = (timeZone: string): number => {
    const hour = new Intl.DateTimeFormat('en', { timeZone, hour: 'numeric', hourCycle: 'h23' });
    return Math.abs(Number(hour.format(Date.now())) - 12);
  };
  return ZONES.toSorted((a, b) => distance(a) - distance(b))[0] ?? 'UTC';
}

describeBehind('nginx', 'who calls', (chain) => {
  test('R1: each key says who it is; half of one and half of another is nobody', async () => {
    const { key, show, site } = chain();
    const first = await key({ name: 'first' });
    const second = await key({ name: 'second' });
    for (const each of [first, second]) {
      expect((await show(Books.valueOf(each))).status).toBe(200);
      expect(site.api.arrivals.at(-1)?.headers['x-keyward-key-id']).toEqual([each.keyId]);
    }
    const mixed = Books.valueOf(first).replace(first.keyId, second.keyId);
    expect(await show(mixed)).toMatchObject({ status: 401 });
    expect(site.api.arrivals).toHaveLength(2);
  });

  test('R2: the API is told key, client and application, never the key itself', async () => {
    const { site, settle, show } = chain();
    await site.books.client('client-of-r2', 'Active');
    const key = await site.books.key({ name: 'weekend-trip', clientUid: 'client-of-r2' });
    await settle();
    expect((await show(Books.valueOf(key))).status).toBe(200);
    const headers = site.api.arrivals.at(-1)?.headers ?? {};
    expect(headers).toMatchObject({
      'x-keyward-key-id': [key.keyId],
      'x-keyward-namespace': ['shop'],
      'x-keyward-name': ['weekend-trip'],
      'x-keyward-client': ['client-client-of-r2'],
    });
    expect(JSON.stringify(headers)).not.toContain(secretOf(key));
    expect(Object.keys(headers)).not.toContain('x-api-key');
  });

  test('R3: calls are counted by key, also where there is no quota, and refused ones are not', async () => {
    const { site, key, show } = chain();
    const counted = await key({ name: 'counted' });
    const beforeMs = Date.now();
    for (let call = 0; call < 7; call += 1) await show(Books.valueOf(counted));
    await show(Books.valueOf(counted), undefined, { target: '/none-of-ours' });
    const ledger = await openGateLedger(site.books.url);
    try {
      const [usage] = await eventually(async () => {
        const found = await ledger.usage([counted.uid]);
        expect(found).toMatchObject([{ uid: counted.uid, uses: 7 }]);
        return found;
      });
      expect(usage?.lastUsedMs).toBeGreaterThanOrEqual(beforeMs - 1_000);
      expect(usage?.lastUsedMs).toBeLessThanOrEqual(Date.now());
    } finally {
      await ledger.close();
    }
  });

  test('R44: both values of a Dual key are let in, and both are the same key', async () => {
    const { site, key, show } = chain();
    const dual = await key({ name: 'dual', format: 'Dual' });
    for (const slot of ['primaryKey', 'secondaryKey'] as const) {
      const value = dual.values[slot]?.revealText() ?? '';
      expect([slot, (await show(value)).status]).toEqual([slot, 200]);
      expect(site.api.arrivals.at(-1)?.headers['x-keyward-key-id']).toEqual([dual.keyId]);
    }
  });
});

describeBehind('nginx', 'who does not', (chain) => {
  test('R84: a key that is switched off is refused, and let in again with the same value', async () => {
    const { site, key, settle, show } = chain();
    const off = await key({ name: 'inactive', format: 'KeyPair', profile: 'Solapi' });
    const value = pairOf(off);
    expect((await show(value)).status).toBe(200);
    await site.books.change(off, { state: 'Suspended' });
    await settle();
    const refused = await show(value);
    // SOLAPI answers 403 to everything of this kind.
    expect([refused.status, refused.headers['x-keyward-reason']]).toEqual([403, 'KeyDisabled']);
    await site.books.change(off, { state: 'Active' });
    await settle();
    expect((await show(value)).status).toBe(200);
  });

  test('a reviewer, a client, a revocation and a rotation each end it, and the first two can lift it', async () => {
    const { site, settle, show } = chain();
    await site.books.client('client-of-all', 'Active');
    const key = await site.books.key({ name: 'ending', clientUid: 'client-of-all' });
    const said = async (): Promise<unknown> => {
      await settle();
      const { status, headers } = await show(Books.valueOf(key));
      return headers['x-keyward-reason'] ?? status;
    };
    expect(await said()).toBe(200);
    await site.books.hold(key, 'Suspended');
    expect(await said()).toBe('KeyDisabled');
    await site.books.hold(key);
    expect(await said()).toBe(200);
    await site.books.client('client-of-all', 'Suspended');
    expect(await said()).toBe('KeyDisabled');
    await site.books.client('client-of-all', 'Active');
    expect(await said()).toBe(200);
    const fresh = await site.books.rotate(key, Date.now() - 1);
    expect(await said()).toBe('KeyRevoked');
    expect((await show(Books.valueOf(fresh))).status).toBe(200);
    await site.books.change(key, { state: 'Revoked' });
    await settle();
    expect((await show(Books.valueOf(fresh))).headers['x-keyward-reason']).toBe('KeyRevoked');
  });

  test('unknown keys, wrong ones, garbage and none at all get one answer', async () => {
    const { site, key, show, front } = chain();
    const right = Books.valueOf(await key({ name: 'right' }));
    const other = Books.valueOf(await site.books.key({ name: 'not-heard-of' }));
    const wrong = right.slice(0, 20) + other.slice(20);
    const answers = [
      await show('kw_garbage'),
      await show(wrong),
      await show(''),
      await front.call(),
    ];
    for (const { status, headers, body } of answers) {
      expect({ status, body, reason: headers['x-keyward-reason'] }).toEqual({
        status: 401,
        reason: 'InvalidKey',
        body: '{"reason":"InvalidKey"}',
      });
      expect(headers['www-authenticate']).toBe('Bearer realm="keyward"');
    }
    expect(site.api.arrivals).toEqual([]);
  });
});

describeBehind('nginx', 'from when, until when', (chain) => {
  test('R103 R106: from the first day in its zone to the end of the last, both included', async () => {
    const { site, settle, show } = chain();
    const timeZone = quietZone();
    const day = (days: number): string => dateIn(timeZone, days);
    const rows = [
      { effectiveDate: day(0), expirationDate: day(0), expected: 200 },
      { effectiveDate: day(-5), expirationDate: day(0), expected: 200 },
      { effectiveDate: day(0), expirationDate: day(5), expected: 200 },
      { effectiveDate: day(1), expirationDate: day(5), expected: 'KeyNotYetEffective' },
      { effectiveDate: day(-5), expirationDate: day(-1), expected: 'KeyExpired' },
    ];
    const keys = [];
    for (const { expected: _, ...validity } of rows) {
      keys.push(
        await site.books.key({ name: 'dated', terms: { validity: { ...validity, timeZone } } }),
      );
    }
    await settle();
    for (const [at, { expected, ...validity }] of rows.entries()) {
      const { status, headers } = await show(Books.valueOf(keys[at] as BookedKey));
      expect([validity, headers['x-keyward-reason'] ?? status]).toEqual([validity, expected]);
    }
  });

  test('R103 R106: no call that begins before the first instant or after the last is let in', async () => {
    const { site, settle, show } = chain();
    const fromMs = Date.now() + 2_000;
    const endMs = fromMs + 1_500;
    const [notBeforeTime, expirationTime] = [fromMs, endMs].map((ms) => new Date(ms).toISOString());
    const terms = { validity: { notBeforeTime, expirationTime } } as { validity: object };
    const value = Books.valueOf(await site.books.key({ name: 'short', terms }));
    await settle();
    const calls: { readonly begunMs: number; readonly doneMs: number; readonly said: unknown }[] =
      [];
    while (Date.now() < endMs + 500) {
      const begunMs = Date.now();
      const { status, headers } = await show(value);
      calls.push({ begunMs, doneMs: Date.now(), said: headers['x-keyward-reason'] ?? status });
    }
    const before = calls.filter(({ doneMs }) => doneMs < fromMs).map(({ said }) => said);
    const within = calls.filter(({ begunMs, doneMs }) => begunMs > fromMs && doneMs < endMs);
    const after = calls.filter(({ begunMs }) => begunMs >= endMs).map(({ said }) => said);
    expect(new Set(before)).toEqual(new Set(['KeyNotYetEffective']));
    expect(new Set(within.map(({ said }) => said))).toEqual(new Set([200]));
    expect(new Set(after)).toEqual(new Set(['KeyExpired']));
  });

  test('R107: where the end is not after the beginning, no call is ever let in', async () => {
    const { site, settle, show } = chain();
    const key = await site.books.key({ name: 'upside-down' });
    const nowMs = Date.now();
    const terms = { ...site.books.record(key).terms, notBeforeMs: nowMs - 1, endMs: nowMs - 1 };
    await site.books.impose(key, terms);
    await settle();
    expect((await show(Books.valueOf(key))).headers['x-keyward-reason']).toBe('KeyExpired');
  });

  test('R108: what began in the past is in force', async () => {
    const { key, show } = chain();
    const validity = { effectiveDate: dateIn('UTC', -30), timeZone: 'UTC' };
    const value = Books.valueOf(await key({ name: 'late', terms: { validity } }));
    expect((await show(value)).status).toBe(200);
  });
});

describeBehind('nginx', 'from where', (chain) => {
  test('R11: from the registered site and from no other', async () => {
    const { site, key, show } = chain();
    const terms = { originPolicy: { allowed: ['www.myservice.com'] } };
    const value = Books.valueOf(await key({ name: 'sited', terms }));
    expect((await show(value, SITE)).status).toBe(200);
    const other = await show(value, 'https://elsewhere.example');
    expect([other.status, other.headers['x-keyward-reason']]).toEqual([403, 'OriginNotAllowed']);
    // What is registered is nobody's business but the holder's.
    expect(other.body).not.toContain('myservice');
    expect(site.api.arrivals).toHaveLength(1);
  });

  test('from a registered network, by the address that nginx sees and not by one that is claimed', async () => {
    const { site, settle, show } = chain();
    const near = await site.books.key({ name: 'near', terms: { cidrs: ['127.0.0.0/8'] } });
    const far = await site.books.key({ name: 'far', terms: { cidrs: ['203.0.113.0/24'] } });
    await settle();
    expect((await show(Books.valueOf(near))).status).toBe(200);
    for (const name of ['X-Real-IP', 'X-Forwarded-For', 'X-Original-Addr', 'Forwarded']) {
      const headers = [`${name}: 203.0.113.7`];
      const answer = await show(Books.valueOf(far), undefined, { headers });
      expect([name, answer.status, answer.headers['x-keyward-reason']]).toEqual([
        name,
        403,
        'IPNotAllowed',
      ]);
    }
  });
});

function secretOf(key: BookedKey): string {
  return Books.valueOf(key).slice(-49, -6);
}

function pairOf(key: BookedKey): string {
  return `${key.publicName}_${key.values.apiSecret?.revealText() ?? ''}`;
}
