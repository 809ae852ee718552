/** Path games through real gateways (G6): nobody behind them may see a place that was not judged. */
import { expect, test } from 'vitest';
import { Books } from '../../support/gate.books.ts';
import { inParallel } from '../../support/parallel.ts';
import type { GatewayName } from '../../support/gate.site.ts';
import { describeBehind } from '../../support/gate.suite.ts';
import { READERS } from '../../unit/terms/readers.ts';
import { DOUBTFUL_TARGETS, PLAIN_TARGETS } from '../../unit/terms/targets.ts';

const GUARDED: readonly string[] = ['/admin', '/v1/admin', '/v1/places'];
/** Put between, before and into the segments of a guarded path. */
const TRICKS =
  '/ /. /./. /x/.. /x/../. /%2e /%2E%2e/v1 // /;x /x;/.. /x/..; \\ %5c %2f %252f %00 %20 . %3b %3f %23 # ? %25 %c0%af %ef%bc%8f %e2%80%8b'.split(
    ' ',
  );

/** Ways to write a guarded path, or something that somebody could take for it. */
function gamesWith(path: string): readonly string[] {
  const [, first = '', ...rest] = path.split('/');
  const tail = rest.map((segment) => `/${segment}`).join('');
  return [
    ...TRICKS.flatMap((trick) => [
      `${trick}${path}`,
      `/${first}${trick}${tail}`,
      `${path}${trick}`,
      `/open${trick}${path}`,
      `/open${trick}/..${path}`,
    ]),
    path.toUpperCase(),
    path.replace('a', '%61'),
    path.replace('a', '%2561'),
    path.replace('a', 'A'),
    path.replace('a', '\uff41'),
    `${path}?x=/open`,
    `http://api.example${path}`,
    `http://other.example${path}`,
  ];
}

const TARGETS = [
  ...GUARDED.flatMap(gamesWith),
  ...[...DOUBTFUL_TARGETS, ...PLAIN_TARGETS].map(([target]) => target),
];

/** Whether somebody behind the gateway could take it for a guarded place. */
function isGuarded(target: string): readonly string[] {
  return Object.entries(READERS)
    .filter(([, read]) => {
      const path = `${read(target).toLowerCase()}/`;
      return GUARDED.some((guarded) => path.startsWith(`${guarded}/`));
    })
    .map(([name]) => `${target} ${name}`);
}

const BEHIND: readonly GatewayName[] = ['nginx', 'envoy', 'envoy-grpc', 'caddy', 'haproxy'];

for (const gateway of BEHIND) {
  describeBehind(gateway, 'path games', (chain) => {
    test(`no one of ${TARGETS.length} targets leads past the gate to what was not granted (G6)`, async () => {
      const { site, key, show } = chain();
      const claim = (pathPrefix: string) => ({ hosts: [], pathPrefix, methods: [] });
      await site.books.product('all', 'Open', [claim('/')]);
      await site.books.product('guarded', 'ByGrant', GUARDED.map(claim));
      const value = Books.valueOf(await key({ name: 'player' }));
      // Envoy closes connections on which something was odd only after a while.
      await inParallel(TARGETS, 64, async (target) => {
        // Bytes as they would come over the wire.
        await show(value, undefined, { target: Buffer.from(target).toString('latin1') });
      });
      const arrived = site.api.arrivals.map((arrival) => arrival.target);
      expect(arrived.flatMap(isGuarded)).toEqual([]);
      // The others were let in, so the key was good and the gate is not just shut.
      expect(arrived).toEqual(expect.arrayContaining(['/', '/v1', '/a.b', '/a+b']));
    });
  });
}
