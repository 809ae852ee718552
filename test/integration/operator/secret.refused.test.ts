/** Secrets that the API server lets nobody write, or not the operator any more, as a real one says it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Resource } from '../../../src/api/meta.ts';
import { API_KEYS, SECRETS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, PLAIN, Site, type Key } from '../../support/operator.site.ts';

const QUOTAS: Resource = {
  group: '',
  version: 'v1',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
};

let site: Site;

beforeAll(async () => {
  site = await Site.open({
    access: sharedControlPlane(),
    namespaces: 2,
    flags: { 'loss-grace-seconds': '1' },
  });
  await site.start();
});

afterAll(() => site.close());

/** As `kubectl replace` with a manifest of somebody's own. */
async function strip(name: string): Promise<void> {
  const metadata = { labels: null, annotations: null, ownerReferences: null };
  const data = { apiKey: Buffer.from('my own').toString('base64') };
  await site.api.patch(SECRETS, [site.namespace, name], { metadata, data });
}

function readyMessage(key: Key): string {
  return condition(key, 'Ready')?.message ?? '';
}

test('a key whose Secret lost label and MAC can still be deleted', async () => {
  await site.issue('stripped-away');
  const { apiKey = '' } = await site.values('stripped-away');
  await strip('stripped-away');
  await site.remove('stripped-away');
  await site.untilGone('stripped-away');
  expect(await site.verdict(apiKey)).not.toBe('Allowed');
  expect(await site.values('stripped-away')).toMatchObject({ apiKey: 'my own' });
});

test('a living key says so, makes new values once, and goes on when that Secret is deleted', async () => {
  await site.issue('stripped');
  await strip('stripped');
  const key = await site.until('stripped', 'SecretConflict');
  expect(readyMessage(key)).toContain('stripped of our mark');
  await site.api.remove(SECRETS, site.namespace, 'stripped');
  // No watch by label shows that; the edit spares the minute until the operator looks by itself.
  await site.edit('stripped', { displayName: 'looked at' });
  expect((await site.until('stripped', 'Rotating')).status.sequence).toBe(2);
});

test('a full quota of Secrets and a Secret that is too large are called so', async () => {
  const [, full = ''] = site.namespaces;
  const hard = { 'count/secrets': '0' };
  const metadata = { name: 'none', namespace: full };
  await site.api.create(QUOTAS, { metadata, spec: { hard } });
  // The controller of quotas would count; here the test does.
  const path = `/api/v1/namespaces/${full}/resourcequotas/none/status`;
  const status = { hard, used: { 'count/secrets': '0' } };
  await site.api.request('PATCH', path, { status }, 'application/merge-patch+json');
  await site.create('crowded', {}, full);
  expect(readyMessage(await site.until('crowded', 'SecretForbidden', full))).toContain(
    'ResourceQuota',
  );
  await site.api.remove(QUOTAS, full, 'none');
  await site.until('crowded', 'Active', full);

  const text = '{{ .apiKey }}'.repeat(630);
  const template = Object.fromEntries(Array.from({ length: 32 }, (_, at) => [`e${at}`, text]));
  await site.create('huge', { secret: { layout: 'Template', template } });
  expect(readyMessage(await site.until('huge', 'InvalidSpec'))).toContain('1 MiB');
});

test('a rotation request with the id of an approved reissue is refused by the schema', async () => {
  const rotation = { requestId: 'reissue/2/some-form' };
  const wish = {
    metadata: { name: 'ahead', namespace: site.namespace },
    spec: { storeRef: PLAIN, rotation },
  };
  await expect(site.api.create(API_KEYS, wish)).rejects.toThrow(/begin with reissue/);
  await eventually(async () => {
    expect(await site.api.get(API_KEYS, site.namespace, 'ahead')).toBeUndefined();
  });
});
