/** A chain of books, gate, gateway and API for the tests of one describe block. */
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { BookedKey, KeyWish } from './gate.books.ts';
import { Books } from './gate.books.ts';
import type { Answer, Outgoing } from './gate.call.ts';
import { shown } from './gate.call.ts';
import { eventually } from './eventually.ts';
import {
  GATEWAYS,
  GateSite,
  type Front,
  type GateSiteOptions,
  type GatewayName,
} from './gate.site.ts';

const START_TIMEOUT_MS = 90_000;

/** What tests of a chain speak of. */
export type Chain = {
  readonly site: GateSite;
  readonly front: Front;
  /** A key that the gate knows. */
  readonly key: (wish: KeyWish) => Promise<BookedKey>;
  /**
   * Waits until the gate has heard of everything that is in the books. Calls say nothing of that: an
   * unknown key is refused like a wrong one. But gates hear of changes in order, so one more key is made,
   * and all is known when that is let in.
   */
  readonly settle: () => Promise<void>;
  /** A call with this value, from this site if one is given. */
  readonly show: (value: string, origin?: string, more?: Omit<Outgoing, 'port'>) => Promise<Answer>;
};

/**
 * Tests behind a gateway on its shipped configuration. Where its program can neither be found nor had
 * they are skipped by name, which `npm test` counts and with CI=true takes for a failure.
 */
export function describeBehind(
  gateway: GatewayName,
  title: string,
  define: (chain: () => Chain) => void,
  options: GateSiteOptions = {},
): void {
  describe.skipIf(!GATEWAYS[gateway])(`${gateway}: ${title}`, () => {
    let chain: Chain;
    let site: GateSite;
    beforeAll(async () => {
      site = await GateSite.open(options);
      // Everything below /v1 is anybody's; other targets belong to no API and are refused.
      await site.books.product('hello', 'Open', [
        { hosts: [], pathPrefix: '/v1', methods: [] },
        { hosts: [], pathPrefix: '/status', methods: [] },
      ]);
      await site.startGate();
      chain = createChain(site, await site.front(gateway));
    }, START_TIMEOUT_MS);
    beforeEach(() => chain.site.api.forget());
    // Also where the gateway did not come up.
    afterAll(() => site.close());
    define(() => chain);
  });
}

function createChain(site: GateSite, front: Front): Chain {
  const show: Chain['show'] = (value, origin, more = {}) =>
    front.call({ ...more, headers: [...shown(value, origin), ...(more.headers ?? [])] });
  const settle = async (): Promise<void> => {
    const last = Books.valueOf(await site.books.key({ name: 'the-last-one' }));
    await eventually(async () => {
      const { status, headers } = await show(last);
      if (status !== 200) throw new Error(`${status} ${headers['x-keyward-reason']}`);
    });
    site.api.forget();
  };
  return {
    site,
    front,
    show,
    settle,
    key: async (wish) => {
      const key = await site.books.key(wish);
      await settle();
      return key;
    },
  };
}
