/** An API server that dies, freezes, refuses or forgets to answer; and the operator's own ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { LEASES } from '../../../src/api/names.ts';
import { eventually } from '../../support/eventually.ts';
import { RefusedError } from '../../support/operator.api.ts';
import { OperatorProcess } from '../../support/operator.ts';
import { startApiProxy, type ApiProxy, type Call } from '../../support/operator.proxy.ts';
import { requestsOf } from '../../support/operator.audit.ts';
import { Site } from '../../support/operator.site.ts';

let plane: ControlPlane;
let site: Site;
let proxied: Site;
let proxy: ApiProxy;

beforeAll(async () => {
  plane = await startControlPlane({ audit: true });
  await installKeyward(plane);
  site = await Site.open({ access: plane, account: 'Own', flags: { 'leader-elect': 'true' } });
  proxied = await Site.open({ access: plane });
  proxy = await startApiProxy(proxied.kubeconfig);
  await proxied.start({ kubeconfig: proxy.kubeconfig });
});

afterAll(async () => {
  await Promise.all([site.close(), proxied.close()]);
  await proxy.close();
  await plane.stop();
});

/** Creates them all at once; those that fail are created again until all are there. */
async function createAll(where: Site, names: readonly string[], spec: object = {}): Promise<void> {
  await Promise.all(
    names.map((name) =>
      eventually(() =>
        where.create(name, spec).catch((failure: unknown) => {
          // A create whose answer was lost is found to be done.
          if (!(failure instanceof RefusedError && failure.code === 409)) throw failure;
        }),
      ),
    ),
  );
}

/** Each key works, was issued once, and has one live credential. */
async function expectAllIssuedOnce(where: Site, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const key = await where.until(name, 'Active');
    const { apiKey = '' } = await where.values(name);
    expect(await where.verdict(apiKey)).toBe('Allowed');
    const record = await where.record(key.metadata.uid);
    expect(record?.credentials.map(({ sequence, keyId }) => [sequence, keyId])).toEqual([
      [1, key.status.keyId],
    ]);
  }
}

const namesOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

describe('an API server in trouble', () => {
  test('killed while keys are created and started again, it finds every key issued exactly once', async () => {
    const { pid } = proxied.operator;
    const names = namesOf('killed', 40);
    const created = createAll(proxied, names);
    await eventually(async () => expect(await proxied.secret('killed-0')).toBeDefined());
    await plane.apiserver.kill();
    await plane.apiserver.start();
    await created;
    await expectAllIssuedOnce(proxied, names);
    expect(proxied.operator.pid).toBe(pid);
    expect(proxied.operator.isRunning).toBe(true);
  });

  test('frozen and thawed, it is followed again by the same process', async () => {
    // Long enough for a busy machine to say so before, short enough to wait for.
    const notBeforeTime = new Date(Date.now() + 12_000).toISOString();
    await createAll(proxied, ['thawed'], { terms: { validity: { notBeforeTime } } });
    await proxied.until('thawed', 'NotYetValid');
    const before = proxied.operator.log.length;
    plane.apiserver.freeze();
    // The key comes due while nothing answers, so a call must run into its deadline.
    await eventually(() => {
      const failures = proxied.operator.log.slice(before).map(({ reason }) => reason);
      expect(failures).toEqual(
        expect.arrayContaining([expect.stringMatching(/Timeout|OutcomeUnknown|ServerUnreachable/)]),
      );
    }, 60_000);
    plane.apiserver.thaw();
    await expectAllIssuedOnce(proxied, ['thawed']);
    expect(proxied.operator.isRunning).toBe(true);
  });

  test('a storm of 429 is waited out as long as it asks, and every key is issued once', async () => {
    const refusedAtMs = new Map<string, number>();
    const tooSoon: string[] = [];
    let refusals = 0;
    proxy.decide(({ method, path }: Call) => {
      if (method === 'GET') return { type: 'Pass' };
      const text = `${method} ${path}`;
      const atMs = refusedAtMs.get(text);
      // POSTs of different Secrets share a path, so only PUTs tell whose turn it is.
      if (method === 'PUT' && atMs !== undefined && performance.now() - atMs < 990) {
        tooSoon.push(text);
      }
      if (atMs !== undefined && refusals >= 30) return { type: 'Pass' };
      refusedAtMs.set(text, performance.now());
      refusals += 1;
      return { type: 'Answer', code: 429, headers: { 'retry-after': '1' } };
    });
    const names = namesOf('stormed', 10);
    await createAll(proxied, names);
    await expectAllIssuedOnce(proxied, names);
    proxy.decide(() => ({ type: 'Pass' }));
    expect(refusals).toBeGreaterThanOrEqual(30);
    expect(tooSoon).toEqual([]);
  });

  test('answers that are lost after each write cost nothing but another look', async () => {
    const lost = new Set<string>();
    proxy.decide(({ method, path }: Call) => {
      const text = `${method} ${path}`;
      if (method === 'GET' || lost.has(text)) return { type: 'Pass' };
      lost.add(text);
      return { type: 'Lost' };
    });
    const names = namesOf('lost', 5);
    await createAll(proxied, names);
    await expectAllIssuedOnce(proxied, names);
    proxy.decide(() => ({ type: 'Pass' }));
    expect(lost.size).toBeGreaterThan(names.length);
  });

  test('an API server that answers 500 to everything is believed again when it recovers', async () => {
    proxy.decide(({ method }) =>
      method === 'GET' ? { type: 'Pass' } : { type: 'Answer', code: 500 },
    );
    await createAll(proxied, ['healed']);
    await eventually(() => {
      const failed = proxied.operator.log.filter(({ name }) => String(name).includes('healed'));
      expect(failed.length).toBeGreaterThan(0);
    });
    proxy.decide(() => ({ type: 'Pass' }));
    await expectAllIssuedOnce(proxied, ['healed']);
  });
});

describe('the end of the process', () => {
  // Not earlier: an operator that cannot renew its Lease ends, as it must.
  beforeAll(() => site.start());

  /** The Lease that makes one operator the active one. */
  async function lease(): Promise<Readonly<Record<string, unknown>>> {
    const object = await site.api.get(LEASES, 'keyward-system', 'keyward-operator');
    // A Lease of coordination.k8s.io/v1 has a spec.
    return (object?.spec ?? {}) as Record<string, unknown>;
  }

  test('SIGTERM ends it in order: exit code 0, the Lease given back, nothing written afterwards', async () => {
    await site.issue('before-term');
    const exit = await site.operator.terminate();
    expect(exit).toEqual({ code: 0, signal: null });
    expect(site.operator.stderr).toBe('');
    expect((await lease())['holderIdentity'] ?? '').toBe('');
    const before = (await requestsOf(plane.auditLog, site.user)).length;
    await site.create('after-term');
    expect((await requestsOf(plane.auditLog, site.user)).length).toBe(before);
    await site.start();
    await site.until('after-term', 'Active');
  });

  test('SIGTERM in the middle of work loses nothing', async () => {
    const names = namesOf('interrupted', 30);
    await createAll(site, names);
    expect(await site.operator.terminate()).toEqual({ code: 0, signal: null });
    await site.start();
    await expectAllIssuedOnce(site, names);
  });

  test('after SIGKILL the same identity takes its own Lease over at once, under a new epoch', async () => {
    await site.operator.kill();
    const before = await lease();
    await site.create('after-kill');
    await site.start();
    await site.until('after-kill', 'Active');
    const after = await lease();
    expect(after['leaseTransitions']).toBe(Number(before['leaseTransitions']) + 1);
    // Another identity would have had to wait until the old term had run out.
    const ranOutMs = Date.parse(String(before['renewTime'])) + 15_000;
    expect(Date.parse(String(after['acquireTime']))).toBeLessThan(ranOutMs);
  });

  test('SIGKILL in the middle of work loses nothing, and issues nothing twice', async () => {
    const names = namesOf('killed', 30);
    await createAll(site, names);
    expect((await site.operator.kill()).signal).toBe('SIGKILL');
    await site.start();
    await expectAllIssuedOnce(site, names);
  });

  test('another database than the one last used is refused with one sentence', async () => {
    await site.operator.terminate();
    const other = new OperatorProcess(site.flags({ database: `sqlite://${site.folder}/other.db` }));
    expect((await other.ended).code).toBe(1);
    expect(other.stderr).toContain('not the database that was last used');
    await site.start();
    await site.issue('right-database');
  });
});
