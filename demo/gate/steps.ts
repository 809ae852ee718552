/** The story of the gate: who is let in, who is not any more, and what happens when it is in trouble. */
import { expect } from '../expect.ts';
import { showSecret } from '../secret.ts';
import type { Stage } from '../stage.ts';
import type { Step } from '../step.ts';
import { END_IN_MS, endingAt, HOUR_MS } from '../steps/validity.ts';
import { call, inWords, showCall, SITE, type Call } from './calls.ts';
import type { Chain } from './chain.ts';

const BOTH = ['nginx', 'Envoy'] as const;
const ELSEWHERE = 'https://myservice.com';
/** Once its Secret is gone, a revoked value is like one that never was. */
const DEAD = ['KeyRevoked', 'InvalidKey'] as const;
const LIMIT = 5;
const CALLS = 20;

/** All of it, in order. */
export function gateSteps(chain: Chain): readonly Step[] {
  return [apis(chain), site(chain), forged(chain), suspension(chain), quota(chain)].concat([
    outage(chain),
    expiry(chain),
    revocation(chain),
  ]);
}

function apis(chain: Chain): Step {
  return {
    title: 'A store, and which calls belong to which API',
    short: 'store and APIs',
    async run(stage) {
      await stage.apply('samples/00-store.yaml');
      await stage.ask(['wait', '--for=condition=Ready', 'ckst/default', '--timeout=120s']);
      await stage.apply('samples/gate/00-apis.yaml');
      stage.screen.say('Without a key nobody gets anywhere:');
      for (const gateway of BOTH) await showCall(stage, chain, { gateway }, [401, 'InvalidKey']);
    },
  };
}

function site(chain: Chain): Step {
  return {
    title: 'A key for one site: it works there and nowhere else',
    short: 'allowed; wrong site; wrong API',
    async run(stage) {
      await stage.apply('samples/gate/10-keys.yaml');
      for (const name of ['weekend-trip', 'trial']) await stage.untilReady(name);
      await showSecret(stage, 'trial');
      await showSecret(stage, 'weekend-trip');
      const key = await keyOf(stage, 'weekend-trip');
      stage.screen.command(
        "KEY=$(kubectl get secret weekend-trip -o jsonpath='{.data.apiKey}' | base64 -d)",
      );
      await untilAnswered(stage, chain, { gateway: 'nginx', key, origin: SITE }, 200);
      for (const gateway of BOTH) {
        const { body } = await showCall(stage, chain, { gateway, key, origin: SITE }, [200]);
        expect('the API hears who calls', body.includes('"name":"weekend-trip"'), body);
        expect('and no key', body.includes('"keys":[]'), body);
      }
      stage.screen.proof('the API is told who calls, and never sees the key');
      for (const gateway of BOTH) {
        const from = { gateway, key, origin: ELSEWHERE };
        await showCall(stage, chain, from, [403, 'OriginNotAllowed']);
        await showCall(stage, chain, { gateway, key }, [403, 'OriginMissing']);
      }
      const stations = { key, origin: SITE, path: '/forecast/stations/7' };
      const tricky = { ...stations, path: '/forecast/%2e%2e/forecast//stations/7' };
      await showCall(stage, chain, { gateway: 'nginx', ...stations }, [403, 'ApiNotAllowed']);
      await showCall(stage, chain, { gateway: 'nginx', ...tricky }, [403, 'ApiNotAllowed']);
      await showCall(stage, chain, { gateway: 'Envoy', ...tricky }, [403, 'ApiNotAllowed']);
      stage.screen.proof('an API by grant stays closed, however its path is written');
    },
  };
}

function forged(chain: Chain): Step {
  return {
    title: 'Callers who say who they are themselves',
    short: 'forged headers refused',
    async run(stage) {
      const key = await keyOf(stage, 'weekend-trip');
      const headers = ['X-Keyward-Client:somebody-else'];
      for (const gateway of BOTH) {
        const outgoing = { gateway, key, origin: SITE, headers };
        await showCall(stage, chain, outgoing, [403, 'HeaderNotAllowed']);
      }
      stage.screen.proof('only the gate says who calls');
    },
  };
}

function suspension(chain: Chain): Step {
  return {
    title: 'Suspended and resumed, without a new value',
    short: 'suspended, resumed',
    async run(stage) {
      const key = await keyOf(stage, 'weekend-trip');
      await stage.patch('akey/weekend-trip', { spec: { state: 'Suspended' } });
      await untilBoth(stage, chain, { key, origin: SITE }, 401);
      for (const gateway of BOTH) {
        await showCall(stage, chain, { gateway, key, origin: SITE }, [401, 'KeyDisabled']);
      }
      await stage.patch('akey/weekend-trip', { spec: { state: 'Active' } });
      await untilBoth(stage, chain, { key, origin: SITE }, 200);
      for (const gateway of BOTH) {
        await showCall(stage, chain, { gateway, key, origin: SITE }, [200]);
      }
    },
  };
}

function quota(chain: Chain): Step {
  return {
    title: `A quota of ${LIMIT}: ${CALLS} calls at once, through both gateways`,
    short: 'quota used up, exactly',
    async run(stage) {
      const key = await keyOf(stage, 'trial');
      stage.screen.say(`${CALLS} calls at once, half of them through each gateway:`);
      const gateways = Array.from({ length: CALLS }, (_, at) => BOTH[at % 2] ?? 'nginx');
      const answers = await Promise.all(gateways.map((gateway) => call(chain, { gateway, key })));
      const count = (words: string): number =>
        answers.filter((answer) => inWords(answer) === words).length;
      const seen = `${count('200')} times 200, ${count('429 QuotaExceeded')} times 429 QuotaExceeded`;
      stage.screen.block(seen);
      const wanted = `${LIMIT} times 200, ${CALLS - LIMIT} times 429 QuotaExceeded`;
      expect(wanted, seen === wanted, seen);
      stage.screen.proof('not one call too many');
      await stage.untilField('trial', '.status.quota.remaining', '0');
      await stage.kubectl(['get', 'akey', 'trial', '-o', 'jsonpath={.status.quota}']);
      stage.findings.push(`quota of ${LIMIT}: ${seen}`);
      for (const gateway of BOTH) {
        await showCall(stage, chain, { gateway, key }, [429, 'QuotaExceeded']);
      }
    },
  };
}

function outage(chain: Chain): Step {
  return {
    title: 'The gate is killed: nobody gets through, and afterwards who should',
    short: 'no gate, no call',
    async run(stage) {
      const key = await keyOf(stage, 'weekend-trip');
      stage.screen.command(`kill -9 ${chain.gate.pid}`);
      process.kill(chain.gate.pid, 'SIGKILL');
      for (const gateway of BOTH) {
        await untilAnswered(stage, chain, { gateway, key, origin: SITE }, 503);
        const { status } = await call(chain, { gateway, key, origin: SITE });
        expect(`${gateway} lets nobody through`, status === 503, String(status));
        stage.screen.proof(`${gateway} answers 503 to an honest caller`);
      }
      await chain.restart();
      stage.screen.command('keyward gate …');
      await untilBoth(stage, chain, { key, origin: SITE }, 200);
      for (const gateway of BOTH) {
        await showCall(stage, chain, { gateway, key, origin: SITE }, [200]);
      }
      const used = await keyOf(stage, 'trial');
      await showCall(stage, chain, { gateway: 'Envoy', key: used }, [429, 'QuotaExceeded']);
      stage.screen.proof('what was used up before still is');
    },
  };
}

function expiry(chain: Chain): Step {
  return {
    title: 'Expired, and revived by a later end',
    short: 'expired, revived',
    async run(stage) {
      const key = await keyOf(stage, 'weekend-trip');
      stage.screen.say(`The end is moved to ${END_IN_MS / 1_000} seconds from now:`);
      await stage.patch('akey/weekend-trip', { spec: endingAt(END_IN_MS) });
      await untilBoth(stage, chain, { key, origin: SITE }, 401);
      for (const gateway of BOTH) {
        await showCall(stage, chain, { gateway, key, origin: SITE }, [401, 'KeyExpired']);
      }
      stage.screen.say('A later end revives the same value:');
      await stage.patch('akey/weekend-trip', { spec: endingAt(HOUR_MS) });
      await untilBoth(stage, chain, { key, origin: SITE }, 200);
      for (const gateway of BOTH) {
        await showCall(stage, chain, { gateway, key, origin: SITE }, [200]);
      }
    },
  };
}

function revocation(chain: Chain): Step {
  return {
    title: 'Revoked: dead everywhere within a second',
    short: 'revoked',
    async run(stage) {
      await stage.applyObject({
        apiVersion: 'keyward.dev/v1alpha1',
        kind: 'ApiKey',
        metadata: { name: 'leaked' },
      });
      await stage.untilReady('leaked');
      const key = await keyOf(stage, 'leaked');
      await untilBoth(stage, chain, { key }, 200);
      for (const gateway of BOTH) await showCall(stage, chain, { gateway, key }, [200]);
      await stage.patch('akey/leaked', { spec: { state: 'Revoked' } });
      const startMs = performance.now();
      await untilBoth(stage, chain, { key }, 401);
      const tookMs = Math.round(performance.now() - startMs);
      for (const gateway of BOTH) await showCall(stage, chain, { gateway, key }, [401, ...DEAD]);
      stage.screen.proof(`refused by both ${tookMs} ms after kubectl came back`);
      stage.findings.push(`revoked: refused by both gateways after ${tookMs} ms`);
    },
  };
}

async function keyOf(stage: Stage, name: string) {
  return (await stage.secret(name)).value('apiKey');
}

function untilAnswered(stage: Stage, chain: Chain, outgoing: Call, status: number): Promise<void> {
  return stage.until(`${outgoing.gateway} answers ${status}`, async () => {
    return (await call(chain, outgoing)).status === status;
  });
}

/** Gates hear of changes a moment later. */
async function untilBoth(
  stage: Stage,
  chain: Chain,
  outgoing: Omit<Call, 'gateway'>,
  status: number,
): Promise<void> {
  for (const gateway of BOTH) await untilAnswered(stage, chain, { ...outgoing, gateway }, status);
}
