/** Every driver of a remote store that the kit is run against: one entry each. */
import { AwkwardFake, type AwkwardStyle } from '../../fakes/awkward/fake.ts';
import { kitHttp } from '../../kit/http.ts';
import type { Subject } from '../../kit/subject.ts';
import { awkwardDriver } from '../support/awkward/driver.ts';

/** Name in the test titles, to subject. */
export const subjects: Readonly<Record<string, Subject>> = {
  'Awkward, class O': awkward('O', 'ShownOnce'),
  'Awkward, class I': awkward('I', 'Idempotent'),
  'Awkward, class X': awkward('X', 'Bare'),
};

function awkward(kind: 'O' | 'I' | 'X', style: AwkwardStyle): Subject {
  return {
    driver: awkwardDriver(kind),
    async start(clock, entropy) {
      const fake = await new AwkwardFake({ clock, entropy, style }).start();
      return { fake, stop: () => fake.stop() };
    },
    member: (address) => ({ endpoint: address }),
    http: kitHttp,
    signing: 'None',
  };
}
