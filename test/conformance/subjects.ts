/** Every driver of a remote store that the kit is run against: one entry each. */
import { tokenshopDriver } from '../../docs/examples/tokenshop/driver.ts';
import { AwkwardFake, type AwkwardStyle } from '../../fakes/awkward/fake.ts';
import { kitHttp } from '../../kit/http.ts';
import type { Subject } from '../../kit/subject.ts';
import type { LocalSubject } from '../../kit/localkit.ts';
import { builtinDriver } from '../../src/stores/builtin/driver.ts';
import { awkwardDriver } from '../support/awkward/driver.ts';
import { naverSubjects } from './subjects.naver.ts';
import { solapiSubjects } from './subjects.solapi.ts';

/** Name in the test titles, to subject. */
export const subjects: Readonly<Record<string, Subject>> = {
  'Tokenshop (docs/drivers.md), class M': {
    ...awkward('O', 'Readable'),
    driver: tokenshopDriver,
  },
  ...naverSubjects,
  ...solapiSubjects,
  'Awkward, class O': awkward('O', 'ShownOnce'),
  'Awkward, class I': awkward('I', 'Idempotent'),
  'Awkward, class X': awkward('X', 'Bare'),
};

/** Settings of drivers of class Local. */
export const localSubjects: Readonly<Record<string, LocalSubject>> = {
  'Builtin, hashes only': { driver: builtinDriver, member: {} },
  'Builtin, recoverable': { driver: builtinDriver, member: { recovery: 'Sealed', keyPrefix: 'x' } },
};

function awkward(kind: 'O' | 'I' | 'X', style: AwkwardStyle): Subject {
  return {
    driver: awkwardDriver(kind),
    async start(clock, entropy) {
      const fake = await new AwkwardFake({ clock, entropy, style }).start();
      return { fake, stop: () => fake.stop() };
    },
    member: (address) => ({ endpoint: address, credentialsSecretRef: { name: 'account' } }),
    http: kitHttp,
    signing: 'None',
  };
}
