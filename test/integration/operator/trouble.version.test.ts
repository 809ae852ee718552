/** An older API server: no mutating policies, no watch-list. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { FINALIZER } from '../../../src/api/names.ts';
import { requestsOf, writesIn } from '../../support/operator.audit.ts';
import { Site } from '../../support/operator.site.ts';

let plane: ControlPlane;
let site: Site;

beforeAll(async () => {
  plane = await startControlPlane({
    audit: true,
    emulatedVersion: '1.35',
    featureGates: { WatchList: false },
  });
  await installKeyward(plane, { mutatingPolicies: 'leave out' });
  site = await Site.open({ access: plane, account: 'Own' });
  await site.start();
});

afterAll(async () => {
  await site.close();
  await plane.stop();
});

test('a key is issued in three writes, the first of which puts the finalizer on', async () => {
  const fresh = await site.create('older');
  expect(fresh.metadata.finalizers).toBeUndefined();
  const key = await site.until('older', 'Active');
  expect(key.metadata.finalizers).toEqual([FINALIZER]);
  const writes = writesIn(await requestsOf(plane.auditLog, site.user));
  const about = writes.filter(({ name }) => name === 'older');
  expect(about.map(({ verb, resource, subresource }) => [verb, resource, subresource])).toEqual([
    ['patch', 'apikeys', ''],
    ['create', 'secrets', ''],
    ['update', 'apikeys', 'status'],
  ]);
});

test('rotation, restart and deletion work as on a newer one', async () => {
  await site.issue('whole');
  const { apiKey: first = '' } = await site.values('whole');
  await site.edit('whole', { rotation: { requestId: 'one', overlapSeconds: 0 } });
  await site.untilRotated('whole', 'one');
  await site.restart();
  const { apiKey: second = '' } = await site.values('whole');
  expect(await site.verdict(first)).not.toBe('Allowed');
  expect(await site.verdict(second)).toBe('Allowed');
  await site.remove('whole');
  await site.untilGone('whole');
  expect(await site.verdict(second)).not.toBe('Allowed');
});

test('keys that were created before a restart are all found by it', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `many-${i}`);
  await Promise.all(names.map((name) => site.create(name)));
  await site.restart();
  for (const name of names) {
    await site.until(name, 'Active');
    expect(await site.verdict((await site.values(name))['apiKey'] ?? '')).toBe('Allowed');
  }
});
