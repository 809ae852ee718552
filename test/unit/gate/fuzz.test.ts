import { expect, it } from 'vitest';
import { fuzz } from '../../fuzz/fuzz.ts';

it('gate and independent model agree on random calls with near misses (G23)', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`seed ${seed}; npm run fuzz -- --cases 20000 --seed ${seed}`);
  const { answers, differences } = await fuzz(20_000, seed);
  expect(differences).toEqual([]);
  // Each cause that the decision knows was seen, so the agreement says something about it.
  expect([...answers.keys()].toSorted()).toEqual([
    'AddressNotAllowed',
    'Allowed',
    'AmbiguousKey',
    'ClientSuspended',
    'Expired',
    'HeaderNotAllowed',
    'KeyRevoked',
    'KeySuspended',
    'MalformedKey',
    'NoKey',
    'NotYetEffective',
    'OriginMissing',
    'OriginNotAllowed',
    'ProductNotAllowed',
    'ProductRetired',
    'QuotaUnknown',
    'QuotaUsedUp',
    'ReplayUnknown',
    'SignatureReplayed',
    'StateUnknown',
    'TargetDoubtful',
    'TimeTooSkewed',
    'UnknownKey',
    'Unlisted',
    'ValueReplaced',
    'WrongSecret',
    'WrongSignature',
  ]);
});
