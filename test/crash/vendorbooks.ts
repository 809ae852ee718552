/** The vendor's book against the other two: what is there, whose it is, and whether it should work. */
import type { VendorCredential } from '../../kit/fake.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { currentCredential } from '../../src/ledger/transitions.ts';
import type { Violation } from './books.ts';
import type { Loose } from '../support/operator.api.ts';
import type { Site } from './site.ts';
import { waitsForPerson } from './unsettled.ts';
import type { PlanVendor } from './vendor.ts';

/** Compares; empty where the store has no vendor or all is well. */
export async function checkVendor(
  site: Site,
  records: readonly KeyRecord[],
): Promise<readonly Violation[]> {
  const { vendor } = site;
  if (vendor === undefined) return [];
  const working = await Promise.all(
    site.scenario.working.map((name) => checkWorking(site, vendor, { name, records })),
  );
  return [
    ...checkStrangers(vendor, records),
    ...(records.some(waitsForPerson) ? checkUndecided(vendor) : checkOrphans(vendor, records)),
    ...working.flat(),
  ];
}

/** Whether a person has to decide what a lost answer made. */
export function isAmbiguous(records: readonly KeyRecord[]): boolean {
  return records.some(waitsForPerson);
}

/** Nobody else's credential was changed, deleted or taken. */
function checkStrangers(vendor: PlanVendor, records: readonly KeyRecord[]): readonly Violation[] {
  const now = vendor.fake.credentials();
  const claimed = claimedIds(records);
  return vendor.strangers.flatMap((before): readonly Violation[] => {
    const after = now.find(({ id }) => id === before.id);
    const isSame = JSON.stringify(after) === JSON.stringify(before);
    return [
      ...(isSame ? [] : [violation('ForeignChanged', `credential ${before.id} of a stranger`)]),
      ...(claimed.has(before.id) ? [violation('WrongAdoption', `${before.id} is taken`)] : []),
    ];
  });
}

/** Each of ours is in the ledger, and the ledger knows none that is not there. */
function checkOrphans(vendor: PlanVendor, records: readonly KeyRecord[]): readonly Violation[] {
  const claimed = claimedIds(records);
  const here = new Set(vendor.fake.credentials().map(({ id }) => id));
  return [
    ...vendor.ours
      .filter(({ id }) => !claimed.has(id))
      .map(({ id }) => violation('LiveOrphan', `nobody knows ${id} at the vendor`)),
    ...[...claimed]
      .filter((id) => !here.has(id))
      .map((id) => violation('LostKey', `${id} is in the ledger and not at the vendor`)),
  ];
}

/** While a person has to decide, nothing is adopted and nothing deleted. */
function checkUndecided(vendor: PlanVendor): readonly Violation[] {
  return vendor.fake.calls
    .filter(({ operation }) => ['update', 'regenerate', 'delete'].includes(operation))
    .map(({ operation }) => violation('WrongAdoption', `${operation} of what nobody knows`));
}

async function checkWorking(
  site: Site,
  vendor: PlanVendor,
  { name, records }: { readonly name: string; readonly records: readonly KeyRecord[] },
): Promise<readonly Violation[]> {
  const key = await site.key(name);
  const record = records.find(({ uid }) => uid === key?.metadata.uid);
  if (record === undefined || waitsForPerson(record)) return [];
  const { id } = currentCredential(record, Date.now())?.remote ?? {};
  const there = vendor.fake.credentials().find((each) => each.id === id);
  if (there === undefined) return [violation('LostKey', `${name} is not at the vendor`)];
  const data = (await site.secret(name))?.data ?? {};
  const isEnabled = site.scenario.shown === undefined;
  return [
    ...wrongValues(data, there).map((slot) => violation('LostKey', `${slot} of ${name} is old`)),
    ...(there.enabled === isEnabled
      ? []
      : [violation('NotConverged', `enabled is ${there.enabled} at the vendor`)]),
    ...(isNamed(there, { name, spec: key?.spec ?? {} })
      ? []
      : [violation('NotConverged', `the vendor calls it ${there.name}: ${there.description}`)]),
  ];
}

/** The mark in the name has done its service; what stands there is the user's. */
function isNamed(
  there: VendorCredential,
  { name, spec }: { readonly name: string; readonly spec: NonNullable<Loose['spec']> },
): boolean {
  if (there.name === undefined) return true;
  const { displayName = name, description = '' } = spec as Readonly<Record<string, string>>;
  return there.name === displayName && there.description === description;
}

/** Names of the vendor's values that the Secret does not have as they are. */
function wrongValues(
  data: Readonly<Record<string, string>>,
  { values }: VendorCredential,
): readonly string[] {
  const inSecret = (entry: string): string => Buffer.from(data[entry] ?? '', 'base64').toString();
  const wrong = Object.entries(values).filter(([slot, value]) => inSecret(slot) !== value);
  const isPair = data['apiSecret'] !== undefined;
  const isCurrent = isPair || Object.values(values).includes(inSecret('apiKey'));
  return [...wrong.map(([slot]) => slot), ...(isCurrent ? [] : ['apiKey'])];
}

function claimedIds(records: readonly KeyRecord[]): ReadonlySet<string> {
  return new Set(
    records.flatMap(({ credentials }) =>
      credentials.flatMap(({ remote }) => (remote?.id === undefined ? [] : [remote.id])),
    ),
  );
}

function violation(kind: Violation['kind'], text: string): Violation {
  return { kind, text };
}
