/** The SOLAPI driver as the kit and our own suites open it, against the fake. */
import { SolapiFake } from '../../fakes/solapi/fake.ts';
import { kitHttp } from '../../kit/http.ts';
import type { Subject } from '../../kit/subject.ts';
import { solapiDriver } from '../../src/stores/solapi/driver.ts';

/** Name in the test titles, to subject: one for each scheme. */
export const solapiSubjects: Readonly<Record<string, Subject>> = {
  'SOLAPI, scheme User': solapi('User'),
  'SOLAPI, scheme HMAC': solapi('HMAC'),
};

function solapi(scheme: 'User' | 'HMAC'): Subject {
  return {
    driver: solapiDriver,
    async start(clock, entropy) {
      // The kit wants accounts that are empty at first; what signs in scheme HMAC is one of the list.
      const fake = await new SolapiFake({ clock, entropy, scheme, signers: 'Hidden' }).start();
      return { fake, stop: () => fake.stop() };
    },
    member: (address) => ({
      endpoint: address,
      credentialsSecretRef: { name: 'account' },
      scheme,
    }),
    http: kitHttp,
    signing: 'EachAttempt',
  };
}
