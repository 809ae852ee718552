/** The key store of a plan, as the scenario wants it, on the side where it runs. */
import { KEY_STORES, SECRETS } from '../../src/api/names.ts';
import type { Site } from './site.ts';

/** The Secret with what signs for the account at the vendor. */
const ACCOUNT_SECRET = 'account';

/** Makes it, with the credentials of its vendor where it has one. */
export async function createStore({ api, namespace, scenario, vendor }: Site): Promise<void> {
  const { overlapSeconds, maxKeys, recovery = 'None', applications } = scenario;
  if (vendor !== undefined) {
    const metadata = { name: ACCOUNT_SECRET, namespace };
    await api.create(SECRETS, { metadata, stringData: vendor.credentials });
  }
  await api.create(KEY_STORES, {
    metadata: { name: 'store', namespace },
    spec: {
      defaults: { overlapSeconds },
      ...(maxKeys === undefined ? {} : { limits: { maxKeys } }),
      ...(applications === undefined
        ? {}
        : { applications: { requirement: 'Always', ...applications } }),
      ...(vendor === undefined
        ? { type: 'Builtin', builtin: { recovery } }
        : {
            type: vendor.kind.type,
            ...vendor.kind.settings(vendor.fake.address, ACCOUNT_SECRET),
          }),
    },
  });
}
