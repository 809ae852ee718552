/** Keys of many kinds in many states, as an installation has them on the day of its upgrade. */
import { createHash } from 'node:crypto';
import { API_KEYS, SECRETS } from '../../src/api/names.ts';
import { eventually } from '../support/eventually.ts';
import { PLAIN, SEALED, type Key, type Site } from '../support/operator.site.ts';
import { inParallel } from '../support/parallel.ts';

/** Specs by the beginning of the key's name, and what is done to it afterwards. */
const KINDS: readonly { readonly spec: object; readonly edit?: object; readonly ends?: string }[] =
  [
    { spec: { storeRef: PLAIN } },
    { spec: { storeRef: PLAIN, format: 'Dual' } },
    { spec: { storeRef: SEALED, format: 'KeyPair' } },
    { spec: { storeRef: PLAIN }, edit: { rotation: { requestId: 'once' } }, ends: 'Rotating' },
    { spec: { storeRef: PLAIN }, edit: { state: 'Suspended' }, ends: 'Suspended' },
    { spec: { storeRef: PLAIN, terms: { quota: { requests: 1_000 } } } },
    { spec: { storeRef: PLAIN, terms: { validity: { durationDays: 30 } } } },
    { spec: { storeRef: PLAIN, secret: { layout: 'Env', envPrefix: 'APP' } } },
  ];
/** The vendor takes ten calls a second, so there are few of these. */
const AT_VENDOR = { storeRef: { kind: 'KeyStore', name: 'vendor' } };
const VENDOR_SHARE = 25;
const WIDTH = 16;

/** What must not change: by `name`, what stands in status and Secret, as digests and public facts. */
export type Prints = ReadonlyMap<string, string>;

/** Makes them and waits until each is as it is to be. */
export async function makeKeys(site: Site, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, at) => at);
  await inParallel(numbers, WIDTH, async (at) => {
    const { spec, edit, ends = 'Active' } = kindOf(at);
    const name = `key-${at}`;
    await site.create(name, spec);
    await settled(site, name, 'Active');
    if (edit === undefined) return;
    await site.edit(name, edit);
    await settled(site, name, ends);
  });
}

/** Reads all of them. */
export async function printsOf(site: Site): Promise<Prints> {
  const [keys, secrets] = await Promise.all(
    [API_KEYS, SECRETS].map((resource) => site.api.list(resource, site.namespace)),
  );
  const data = new Map(secrets?.map(({ metadata, data: entries }) => [metadata.name, entries]));
  return new Map(
    keys?.map((object) => {
      // Asked for by kind.
      const { metadata, status } = object as unknown as Key;
      const { keyId, sequence, remote } = status;
      const secret = createHash('sha256')
        .update(JSON.stringify(data.get(metadata.name) ?? null))
        .digest('hex');
      return [metadata.name, JSON.stringify({ keyId, sequence, id: remote?.id, secret })];
    }),
  );
}

/** Names whose prints differ, are gone, or are new. */
export function changed(before: Prints, after: Prints): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

/** Values in the Secrets of keys that are to be let in, and of those that are not. */
export async function valuesOf(
  site: Site,
  count: number,
): Promise<readonly { readonly name: string; readonly value: string; readonly isGood: boolean }[]> {
  const numbers = Array.from({ length: count }, (_, at) => at).filter(
    (at) => !isAtVendor(at) && kindOf(at) !== KINDS[2] && kindOf(at) !== KINDS[7],
  );
  return inParallel(numbers, WIDTH, async (at) => {
    const { apiKey = '' } = await site.values(`key-${at}`);
    return { name: `key-${at}`, value: apiKey, isGood: kindOf(at).ends !== 'Suspended' };
  });
}

function isAtVendor(at: number): boolean {
  return at % VENDOR_SHARE === 0;
}

function kindOf(at: number): (typeof KINDS)[number] {
  return isAtVendor(at) ? { spec: AT_VENDOR } : (KINDS[at % KINDS.length] ?? { spec: {} });
}

async function settled(site: Site, name: string, reason: string): Promise<void> {
  await eventually(async () => {
    const key = await site.key(name);
    const ready = key.status.conditions?.find(({ type }) => type === 'Ready');
    const isSeen = key.status.observedGeneration === key.metadata.generation;
    if (ready?.reason !== reason || !isSeen) throw new Error(`${name}: ${ready?.reason}`);
  }, 300_000);
}
