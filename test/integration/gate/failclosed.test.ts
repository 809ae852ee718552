/**
 * The gate in trouble, behind real gateways as we ship them: not one call gets through that should not,
 * and afterwards honest callers are let in again.
 */
import { copyFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPostgres, startPostgres, type Postgres } from '../../../control-plane/postgres.ts';
import { systemEntropy } from '../../../src/kernel/entropy.ts';
import { createMasterKeyText } from '../../../src/keys/keyring.ts';
import { Books } from '../../support/gate.books.ts';
import { startBroken, type Fault } from '../../support/gate.broken.ts';
import { call, shown } from '../../support/gate.call.ts';
import { GATEWAYS, GateSite, type Front, type GatewayName } from '../../support/gate.site.ts';
import { eventually } from '../../support/eventually.ts';
import { startPausingProxy, type PausingProxy } from '../../support/pausing.ts';

const ALL: readonly GatewayName[] = ['nginx', 'envoy', 'envoy-grpc', 'caddy', 'haproxy'];
const CALLS = 2;
const STALENESS_SECONDS = 2;
const STALE_MS = (STALENESS_SECONDS + 1) * 1_000;

/** Keys by what must become of them. */
type Callers = { readonly honest: string; readonly others: readonly string[] };

class Stage {
  readonly site: GateSite;
  readonly fronts: readonly Front[];
  readonly callers: Callers;

  constructor(site: GateSite, fronts: readonly Front[], callers: Callers) {
    this.site = site;
    this.fronts = fronts;
    this.callers = callers;
  }

  static async open(database?: string): Promise<Stage> {
    const flags = [`--max-staleness-seconds=${STALENESS_SECONDS}`];
    const site = await GateSite.open({ flags, ...(database === undefined ? {} : { database }) });
    await site.books.product('hello', 'Open', [{ hosts: [], pathPrefix: '/v1', methods: [] }]);
    const fronts = [];
    for (const name of ALL.filter((each) => GATEWAYS[each])) fronts.push(await site.front(name));
    return new Stage(site, fronts, await callersOf(site.books));
  }

  /** Everybody calls through every gateway; who got through. */
  async whoGetsThrough(): Promise<{ honest: number; others: number }> {
    const { honest, others } = this.callers;
    const letIn = async (value: string): Promise<number> => {
      const statuses = await Promise.all(
        this.fronts.map(async ({ port }) => (await call({ port, headers: shown(value) })).status),
      );
      return statuses.filter((status) => status === 200).length;
    };
    const [first = 0, ...more] = await Promise.all([honest, ...others].map(letIn));
    return { honest: first, others: more.reduce((sum, each) => sum + each, 0) };
  }

  /** Everybody tries several times; who got through, and how many calls reached the API. */
  async tryAll(): Promise<{ honest: number; others: number; arrived: number }> {
    this.site.api.forget();
    const sum = { honest: 0, others: 0 };
    for (let at = 0; at < CALLS; at += 1) {
      const { honest, others } = await this.whoGetsThrough();
      sum.honest += honest;
      sum.others += others;
    }
    return { ...sum, arrived: this.site.api.arrivals.length };
  }

  /** Waits until honest callers get through every gateway; how many others ever did meanwhile. */
  async othersUntilHonest(): Promise<number> {
    let wrong = 0;
    await eventually(async () => {
      const { honest, others } = await this.whoGetsThrough();
      wrong += others;
      if (honest < this.fronts.length) throw new Error(`${honest} of ${this.fronts.length}`);
    });
    return wrong;
  }
}

const NOBODY = { honest: 0, others: 0, arrived: 0 };

describe.skipIf(!GATEWAYS.nginx || !GATEWAYS.envoy)('fail closed, over SQLite', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  }, 120_000);
  afterAll(() => stage.site.close());

  test('1. no gate was started', async () => {
    expect(await stage.tryAll()).toEqual(NOBODY);
    await stage.site.startGate();
    expect(await stage.othersUntilHonest()).toBe(0);
  });

  test('2. the gate was killed', async () => {
    await stage.site.gate.kill();
    expect(await stage.tryAll()).toEqual(NOBODY);
    await stage.site.startGate();
    expect(await stage.othersUntilHonest()).toBe(0);
  });

  test('3. the gate is frozen', async () => {
    stage.site.gate.freeze();
    expect(await stage.tryAll()).toEqual(NOBODY);
    stage.site.gate.thaw();
    expect(await stage.othersUntilHonest()).toBe(0);
  });

  test.each<[string, Fault]>([
    ['4. the gate never answers', 'Silent'],
    ['5. the gate resets connections', 'Reset'],
    ['6. the gate answers 500', 'Error'],
    ['7. the gate answers garbage', 'Garbage'],
    ['8. the gate answers nothing', 'Empty'],
    ['9. the gate breaks off in the middle of a yes', 'Torn'],
  ])('%s', async (_title, fault) => {
    await stage.site.gate.stop();
    const broken = await startBroken(fault, [stage.site.gatePort, stage.site.gate.grpcPort]);
    try {
      expect(await stage.tryAll()).toEqual(NOBODY);
    } finally {
      await broken.close();
    }
    await stage.site.startGate();
    expect(await stage.othersUntilHonest()).toBe(0);
  });

  test('10. there is no database when the gate starts', async () => {
    const path = fileOf(stage.site.books);
    await stage.site.gate.stop();
    await stage.site.books.close();
    for (const end of ENDS) await rename(path + end, `${path}.away${end}`).catch(() => undefined);
    await stage.site.launchGate();
    expect(await stage.tryAll()).toEqual(NOBODY);
    for (const end of ENDS) await rename(`${path}.away${end}`, path + end).catch(() => undefined);
    await stage.site.books.reopen();
    if (!stage.site.gate.isRunning) await stage.site.launchGate();
    expect(await stage.othersUntilHonest()).toBe(0);
  });

  test('11. the key file lacks the version that the keys were made with', async () => {
    const other = createMasterKeyText(systemEntropy).revealText().replace('v1:', 'v2:');
    const keyFile = `${stage.site.folder}/other-key`;
    await writeFile(keyFile, other, { mode: 0o600 });
    await stage.site.launchGate({ keyFile });
    expect(await stage.tryAll()).toEqual(NOBODY);
    // Another key under the right version is no better.
    await writeFile(keyFile, createMasterKeyText(systemEntropy).revealText(), { mode: 0o600 });
    await stage.site.launchGate({ keyFile });
    expect(await stage.tryAll()).toEqual(NOBODY);
    await stage.site.startGate();
    expect(await stage.othersUntilHonest()).toBe(0);
  });

  test('12. the database is the one of yesterday: what ended since does not live again', async () => {
    const path = fileOf(stage.site.books);
    const { books } = stage.site;
    const ended = await books.key({ name: 'ended-today' });
    const value = Books.valueOf(ended);
    const letIn = async (): Promise<number> => {
      const all = stage.fronts.map(({ port }) => call({ port, headers: shown(value) }));
      return (await Promise.all(all)).filter(({ status }) => status === 200).length;
    };
    await eventually(async () => expect(await letIn()).toBe(stage.fronts.length));
    await books.close();
    for (const end of ENDS) await copyFile(path + end, `${path}.old${end}`).catch(() => undefined);
    await books.reopen();
    await books.change(ended, { state: 'Revoked' });
    await eventually(async () => expect(await letIn()).toBe(0));
    await books.close();
    for (const end of ENDS) {
      await rm(path + end, { force: true });
      await rename(`${path}.old${end}`, path + end).catch(() => undefined);
    }
    // Long enough for it to be noticed, and for whatever follows.
    const endMs = performance.now() + 3 * STALE_MS;
    while (performance.now() < endMs) expect(await letIn()).toBe(0);
  });
});

const hasPostgres = (await findPostgres()) !== undefined;

describe.skipIf(!hasPostgres || !GATEWAYS.nginx || !GATEWAYS.envoy)(
  'fail closed, over PostgreSQL',
  () => {
    let server: Postgres;
    let way: PausingProxy;
    let stage: Stage;
    beforeAll(async () => {
      server = await startPostgres();
      stage = await Stage.open(server.url());
      way = await startPausingProxy(server.port);
      await stage.site.startGate({ database: urlOver() });
    }, 120_000);
    afterAll(async () => {
      await stage.site.close();
      await way.close();
      await server.stop();
    });

    const urlOver = (): string => server.url().replace(`:${server.port}/`, `:${way.port}/`);

    test('13. the database hangs for longer than a view may be old', async () => {
      expect(await stage.othersUntilHonest()).toBe(0);
      way.pause();
      await passed(STALE_MS);
      expect(await stage.tryAll()).toEqual(NOBODY);
      way.resume();
      expect(await stage.othersUntilHonest()).toBe(0);
    });

    test('14. the database is gone for longer than a view may be old', async () => {
      expect(await stage.othersUntilHonest()).toBe(0);
      await server.kill();
      await passed(STALE_MS);
      expect(await stage.tryAll()).toEqual(NOBODY);
      await server.start();
      expect(await stage.othersUntilHonest()).toBe(0);
    });

    test('15. the database is gone when the gate starts', async () => {
      await stage.site.gate.stop();
      await server.kill();
      await stage.site.launchGate({ database: urlOver() });
      expect(await stage.tryAll()).toEqual(NOBODY);
      await server.start();
      if (!stage.site.gate.isRunning) await stage.site.launchGate({ database: urlOver() });
      expect(await stage.othersUntilHonest()).toBe(0);
    });

    test('16. what ended while a gate could not hear of it is never let in by it again', async () => {
      const key = await stage.site.books.key({ name: 'ended-unheard' });
      const value = Books.valueOf(key);
      const [front] = stage.fronts;
      const letIn = async (): Promise<boolean> =>
        (await call({ port: front?.port ?? 0, headers: shown(value) })).status === 200;
      await eventually(async () => expect(await letIn()).toBe(true));
      stage.site.gate.freeze();
      await stage.site.books.change(key, { state: 'Revoked' });
      await passed(STALE_MS);
      stage.site.gate.thaw();
      for (let at = 0; at < 20; at += 1) expect(await letIn()).toBe(false);
      expect(await stage.othersUntilHonest()).toBe(0);
      expect(await letIn()).toBe(false);
    });
  },
);

/** Files of a SQLite database. */
const ENDS = ['', '-wal', '-shm'] as const;

function fileOf(books: Books): string {
  return books.url.slice('sqlite://'.length);
}

/** Waits for an age limit to pass: nothing else tells when it has. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function callersOf(books: Books): Promise<Callers> {
  const expirationTime = '2020-01-01T00:00:00Z';
  const notBeforeTime = '2099-01-01T00:00:00Z';
  await books.client('client-off', 'Suspended');
  const others = [
    await books.key({ name: 'revoked', state: 'Revoked' }),
    await books.key({ name: 'suspended', state: 'Suspended' }),
    await books.key({ name: 'over', terms: { validity: { expirationTime } } }),
    await books.key({ name: 'early', terms: { validity: { notBeforeTime } } }),
    await books.key({ name: 'used-up', terms: { quota: { requests: 0 } } }),
    await books.key({ name: 'far', terms: { cidrs: ['203.0.113.0/24'] } }),
    await books.key({ name: 'no-site', terms: { originPolicy: { allowed: ['www.a.example'] } } }),
    await books.key({ name: 'client-off', clientUid: 'client-off' }),
    await books.key({ name: 'client-unknown', clientUid: 'client-nobody-knows' }),
  ].map((key) => Books.valueOf(key));
  const honest = Books.valueOf(await books.key({ name: 'honest' }));
  const wrong = honest.slice(0, 25) + (others[0] ?? '').slice(25);
  return { honest, others: [...others, wrong, 'kw_nonsense'] };
}
