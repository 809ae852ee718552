/** An installation with one store at a fake vendor: `vendor`, a KeyStore of the first namespace. */
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Access } from '../../control-plane/access.ts';
import { AwkwardFake, type AwkwardStyle } from '../../fakes/awkward/fake.ts';
import { NaverFake } from '../../fakes/naver/fake.ts';
import type { FakeControl } from '../../kit/fake.ts';
import { API_VERSION, KEY_STORES, SECRETS } from '../../src/api/names.ts';
import { awkwardCrds } from './awkward/crds.ts';
import { applyObjects } from './controlplane.ts';
import { eventually } from './eventually.ts';
import type { Flags } from './operator.ts';
import { Site } from './operator.site.ts';

/** Value of KeyStore.spec.type. */
export type VendorType = 'Naver' | 'Awkward' | 'AwkwardI' | 'AwkwardX';

/** What a test works with. */
export type VendorSite = {
  readonly site: Site;
  readonly fake: FakeControl;
  close(): Promise<void>;
};

/** The store's reference in ApiKeys. */
export const VENDOR = { kind: 'KeyStore', name: 'vendor' } as const;

const STYLES: Readonly<Record<string, AwkwardStyle>> = {
  Awkward: 'ShownOnce',
  AwkwardI: 'Idempotent',
  AwkwardX: 'Bare',
};
const PROGRAM = join(import.meta.dirname, 'awkward', 'keyward.ts');

/** Everything but the operator: `site.start` runs that. Lists are right after one second. */
export async function openVendorSite(options: {
  readonly access: Access;
  readonly type: VendorType;
  readonly flags?: Flags;
}): Promise<VendorSite> {
  const { access, type } = options;
  const fake =
    type === 'Naver'
      ? await new NaverFake().start()
      : await new AwkwardFake({ style: STYLES[type] ?? 'ShownOnce' }).start();
  await applyObjects(
    access,
    [...awkwardCrds().values()].map((text) => parse(text)),
  );
  const hosts = `${type}=${new URL(fake.address).host}`;
  const site = await Site.open({
    access,
    program: PROGRAM,
    flags: { 'endpoint-hosts': hosts, ...options.flags },
  });
  await site.api.create(SECRETS, {
    metadata: { name: 'account', namespace: site.namespace },
    stringData: fake.accounts[0]?.credentials,
  });
  const member = {
    endpoint: type === 'Naver' ? `${fake.address}/api/v1` : fake.address,
    credentialsSecretRef: { name: 'account' },
    settleSeconds: 1,
  };
  const store = {
    apiVersion: API_VERSION,
    metadata: { name: VENDOR.name, namespace: site.namespace },
    spec: { type, [type.charAt(0).toLowerCase() + type.slice(1)]: member },
  };
  // Admission policies learn the new fields a little later than the API server itself.
  await eventually(() => site.api.create(KEY_STORES, store));
  return {
    site,
    fake,
    async close() {
      await site.close();
      await fake.stop();
    },
  };
}
