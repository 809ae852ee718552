/** The NAVER driver against its fake: as documented, and with the habits of older documents. */
import { NaverFake, OUR_TENANT } from '../../fakes/naver/fake.ts';
import type { NaverQuirks } from '../../fakes/naver/keys.ts';
import { kitHttp } from '../../kit/http.ts';
import type { Subject } from '../../kit/subject.ts';
import { naverDriver } from '../../src/stores/naver/driver.ts';

/** Name in the test titles, to subject. */
export const naverSubjects: Readonly<Record<string, Subject>> = {
  Naver: naver({}),
  'Naver, with the habits of older interfaces': naver({
    missing: 400,
    listedValues: 'Shown',
    omittedDescription: 'Keeps',
    nameFilter: 'Ignored',
    pageMax: 3,
    errorCodes: 'Number',
    dates: 'MillisecondsWithOffset',
    readAnswer: 'Wrapped',
  }),
};

function naver(quirks: Partial<NaverQuirks>): Subject {
  return {
    driver: naverDriver,
    async start(clock, entropy) {
      const fake = await new NaverFake({ clock, entropy, quirks }).start();
      return { fake, stop: () => fake.stop() };
    },
    member: (address) => ({
      endpoint: `${address}/api/v1`,
      credentialsSecretRef: { name: 'account' },
      tenantId: OUR_TENANT,
    }),
    http: kitHttp,
    signing: 'EachAttempt',
    productId: 'protected1',
  };
}
