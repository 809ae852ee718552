/** How often a key may be used, through a real nginx as we ship it: never once too often. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../control-plane/ports.ts';
import { startNginx } from '../../../control-plane/proxies.ts';
import { readShipped } from '../../../control-plane/shipped.ts';
import { Books } from '../../support/gate.books.ts';
import { call, shown } from '../../support/gate.call.ts';
import { GateProcess } from '../../support/gate.process.ts';
import { GATEWAYS, GateSite } from '../../support/gate.site.ts';
import { describeBehind, type Chain } from '../../support/gate.suite.ts';

const LIMIT = 40;
const CALLS = 120;
const AT_ONCE = 24;

/** What came of calls, by reason or status. */
type Count = Readonly<Record<string, number>>;

describeBehind('nginx', 'quotas', (chain) => {
  test('R109: -1 is never counted down, and the API hears of no remainder', async () => {
    const { site, key, show } = chain();
    const terms = { quota: { requests: -1 } };
    const value = Books.valueOf(await key({ name: 'unlimited', terms }));
    for (let at = 0; at < 20; at += 1) expect((await show(value)).status).toBe(200);
    const told = site.api.arrivals.map(({ headers }) => headers['x-keyward-quota-remaining']);
    expect(new Set(told)).toEqual(new Set([undefined]));
  });

  test('R110: 0 is no use at all, which is something else than no quota', async () => {
    const { site, settle, show } = chain();
    const none = await site.books.key({ name: 'none', terms: { quota: { requests: 0 } } });
    const absent = await site.books.key({ name: 'absent' });
    await settle();
    for (let at = 0; at < 3; at += 1) {
      const answer = await show(Books.valueOf(none));
      expect([answer.status, answer.headers['x-keyward-reason']]).toEqual([429, 'QuotaExceeded']);
    }
    expect((await show(Books.valueOf(absent))).status).toBe(200);
  });

  test('R111: it is one number for the whole life of a key, whatever is called', async () => {
    const { site, key, show } = chain();
    await site.books.product('other', 'Open', [
      { hosts: [], pathPrefix: '/v1/other', methods: [] },
    ]);
    const value = Books.valueOf(await key({ name: 'total', terms: { quota: { requests: 3 } } }));
    const targets = ['/v1/hello', '/v1/other/x', '/v1/hello', '/v1/other/y', '/v1/hello'];
    const statuses = [];
    for (const target of targets) statuses.push((await show(value, undefined, { target })).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const left = site.api.arrivals.map(({ headers }) => headers['x-keyward-quota-remaining']?.[0]);
    expect(left).toEqual(['2', '1', '0']);
  });

  test('refused calls use nothing up', async () => {
    const { key, show } = chain();
    const terms = {
      quota: { requests: 2 },
      originPolicy: { allowed: ['www.myservice.com'] },
    };
    const value = Books.valueOf(await key({ name: 'refused', terms }));
    for (let at = 0; at < 5; at += 1) await show(value, 'https://elsewhere.example');
    const origin = 'https://www.myservice.com';
    const statuses = [];
    for (let at = 0; at < 3; at += 1) statuses.push((await show(value, origin)).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test(`R112: of ${CALLS} calls at once exactly ${LIMIT} are let in, and as many reach the API`, async () => {
    const { site, key, show } = chain();
    const terms = { quota: { requests: LIMIT } };
    const value = Books.valueOf(await key({ name: 'race', terms }));
    const count = await countAtOnce(CALLS, async () => show(value));
    expect(count).toEqual({ 200: LIMIT, QuotaExceeded: CALLS - LIMIT });
    expect(site.api.arrivals).toHaveLength(LIMIT);
  });

  test('an approved change fills it up again, and the same grant goes on counting', async () => {
    const { site, settle, key, show } = chain();
    const grant = { formUid: 'form-of-refill', round: 1 };
    const terms = { quota: { requests: 2 } };
    const asked = await key({ name: 'refilled', terms, grant });
    const value = Books.valueOf(asked);
    const statuses = async (calls: number): Promise<readonly number[]> => {
      const seen = [];
      for (let at = 0; at < calls; at += 1) seen.push((await show(value)).status);
      return seen;
    };
    expect(await statuses(3)).toEqual([200, 200, 429]);
    const again = Books.valueOf(await key({ name: 'made-anew', terms, grant }));
    expect((await show(again)).status).toBe(429);
    await site.books.change(asked, { grant: { ...grant, round: 2 } });
    await settle();
    expect(await statuses(3)).toEqual([200, 200, 429]);
  });
});

describe.skipIf(!GATEWAYS.nginx)('nginx: three gates on one database', () => {
  let site: GateSite;
  const gates: GateProcess[] = [];
  const ports: number[] = [];
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    site = await GateSite.open();
    await site.books.product('hello', 'Open', [{ hosts: [], pathPrefix: '/v1', methods: [] }]);
    for (let at = 0; at < 3; at += 1) {
      const gate = await GateProcess.start({ database: site.books.url, keyFile: site.keyFile });
      gates.push(await gate.whenReady());
      const gateway = await freePort();
      const listening = { gateway, gate: gate.httpPort, api: site.api.port };
      const nginx = await startNginx(await readShipped('nginx/keyward.conf', listening), gateway);
      ports.push(gateway);
      stops.push(() => nginx.stop());
    }
  }, 120_000);
  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await Promise.all(gates.map((gate) => gate.kill()));
    await site.close();
  });

  test('R112: let in together exactly as many as may be, and never more when one is killed', async () => {
    const plain = Books.valueOf(await site.books.key({ name: 'plain' }));
    const terms = { quota: { requests: LIMIT } };
    const whole = Books.valueOf(await site.books.key({ name: 'whole', terms }));
    const cut = Books.valueOf(await site.books.key({ name: 'cut', terms }));
    await untilLetIn(ports, Books.valueOf(await site.books.key({ name: 'last' })));
    site.api.forget();
    const count = await countAtOnce(CALLS, (at) => callAt(ports, at, whole));
    expect(count).toEqual({ 200: LIMIT, QuotaExceeded: CALLS - LIMIT });
    expect(site.api.arrivals).toHaveLength(LIMIT);
    site.api.forget();
    const killed = countAtOnce(CALLS, async (at) => {
      if (at === LIMIT / 2) void gates[0]?.kill();
      return callAt(ports, at, cut);
    });
    const { 200: letIn = 0 } = await killed;
    expect(letIn).toBeLessThanOrEqual(LIMIT);
    expect(site.api.arrivals.length).toBeLessThanOrEqual(LIMIT);
    expect(letIn).toBeGreaterThan(0);
    // The others are as they were.
    expect((await callAt(ports, 1, plain)).status).toBe(200);
  });
});

type Said = Awaited<ReturnType<Chain['show']>>;

/** Calls with some of them on the way at any time. */
async function countAtOnce(calls: number, make: (at: number) => Promise<Said>): Promise<Count> {
  const count: Record<string, number> = {};
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) {
      const at = next;
      next += 1;
      const { status, headers } = await make(at);
      const said = headers['x-keyward-reason'] ?? String(status);
      count[said] = (count[said] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return count;
}

function callAt(ports: readonly number[], at: number, value: string): Promise<Said> {
  return call({ port: ports[at % ports.length] ?? 0, headers: shown(value) });
}

async function untilLetIn(ports: readonly number[], value: string): Promise<void> {
  for (const port of ports) {
    let status = 0;
    while (status !== 200) ({ status } = await call({ port, headers: shown(value) }));
  }
}
