/** Real gateways, as we ship them, keep their connections to the gate: whatever it says, none is lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../control-plane/ports.ts';
import { startEnvoy } from '../../../control-plane/envoy.ts';
import { startNginx } from '../../../control-plane/proxies.ts';
import { readShipped } from '../../../control-plane/shipped.ts';
import { Books } from '../../support/gate.books.ts';
import { call, shown } from '../../support/gate.call.ts';
import { GATEWAYS, GateSite } from '../../support/gate.site.ts';
import { startPausingProxy, type PausingProxy } from '../../support/pausing.ts';

const CALLS = 40;
/** The first may open one for itself while another is being made. */
const CONNECTIONS_MAX = 3;

describe.skipIf(!GATEWAYS.nginx || !GATEWAYS.envoy)('connections to the gate', () => {
  let site: GateSite;
  let values: readonly string[];
  beforeAll(async () => {
    site = await GateSite.open({ flags: ['--unlisted=allow'] });
    const keys = [
      await site.books.key({ name: 'fine' }),
      await site.books.key({ name: 'off', state: 'Suspended' }),
      await site.books.key({ name: 'used-up', terms: { quota: { requests: 0 } } }),
      await site.books.key({ name: 'sited', terms: { originPolicy: { allowed: ['a.example'] } } }),
    ];
    values = [...keys.map((key) => Books.valueOf(key)), 'kw_garbage', ''];
    await site.startGate();
  }, 60_000);
  afterAll(() => site.close());

  /** Connections that a gateway makes for calls one after the other, with answers of all kinds. */
  async function connectionsOf(gateway: number, way: PausingProxy): Promise<number> {
    for (let at = 0; at < CALLS; at += 1) {
      await call({ port: gateway, headers: shown(values[at % values.length] ?? '') });
    }
    return way.connections;
  }

  test.each(['nginx', 'envoy', 'envoy-grpc'] as const)('%s keeps them', async (name) => {
    const gateway = await freePort();
    const { httpPort, grpcPort } = site.gate;
    const way = await startPausingProxy(name === 'envoy-grpc' ? grpcPort : httpPort);
    const ports = { gateway, gate: way.port, grpc: way.port, api: site.api.port };
    const proxy =
      name === 'nginx'
        ? await startNginx(await readShipped('nginx/keyward.conf', ports), gateway)
        : await startEnvoy(
            await readShipped(name === 'envoy' ? 'envoy/http.yaml' : 'envoy/grpc.yaml', ports),
            gateway,
          );
    try {
      expect(await connectionsOf(gateway, way)).toBeLessThanOrEqual(CONNECTIONS_MAX);
    } finally {
      await proxy.stop();
      await way.close();
    }
  });
});
