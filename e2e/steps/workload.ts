/** A key, and a workload that mounts its Secret and calls an API through gateway and gate. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { expect } from '../../demo/expect.ts';
import { readCalls, type Calls } from '../calls.ts';
import { SHOP, SYSTEM, type Stage } from '../stage.ts';
import type { Step } from '../step.ts';

const NGINX = join(import.meta.dirname, '..', '..', 'deploy', 'gate', 'nginx', 'keyward.conf');
/** So many calls in a row prove that it works. */
const CALLS = 10;

export const firstKey: Step = {
  title: 'A store, products and the smallest key',
  short: 'sample applied, key Ready',
  async run(stage) {
    await stage.kubectl('create', 'namespace', SHOP);
    await stage.apply('samples/00-store.yaml');
    await stage.apply('samples/gate/00-apis.yaml', SHOP);
    await stage.apply('samples/10-quickstart.yaml', SHOP);
    const ms = await stage.wait(SHOP, 'akey/hello', '--for=condition=Ready');
    stage.figures.time('first key: applied to Ready', ms);
    await stage.kubectl('-n', SHOP, 'get', 'akey', 'hello');
    const secret = await stage.secret('hello');
    stage.screen.proof(`its Secret has ${secret.names.join(', ')}`);
  },
};

export const calls: Step = {
  title: 'A pod mounts the Secret and calls an API through nginx and the gate',
  short: 'calls through the gate',
  async run(stage) {
    const { screen } = stage;
    await applyGateway(stage);
    await stage.apply('e2e/manifests/shop.yaml', SHOP);
    for (const name of ['api', 'gateway', 'checkout']) {
      await stage.wait(SHOP, `deploy/${name}`, '--for=condition=Available');
    }
    await stage.until(`${CALLS} calls that were answered`, async () => {
      return (await callsOf(stage)).answered >= CALLS;
    });
    await stage.kubectl('-n', SHOP, 'get', 'pods', '-o', 'wide');
    const { keyIds } = await callsOf(stage);
    screen.proof(`checkout calls http://gateway:8000 with ${keyIds.at(-1)}, and gets answers`);
    const url = 'http://gateway:8000/forecast/today';
    const bare = ['-n', SHOP, 'exec', 'deploy/checkout', '--', 'wget', '-q', '-O', '-', url];
    const { stderr } = await stage.try(bare);
    expect('a call without a key gets 401', stderr.includes('401'), stderr);
    screen.proof('a call without a key gets 401');
  },
};

/** What the pods of a workload have seen. Logs of pods that are gone are gone too. */
export async function callsOf(stage: Stage, app = 'checkout'): Promise<Calls> {
  const args = ['-n', SHOP, 'logs', '-l', `app=${app}`, '--tail=-1', '--prefix=false'];
  return readCalls((await stage.try(args)).stdout);
}

/** The configuration that we ship, with names of Services for the two addresses. */
async function applyGateway(stage: Stage): Promise<void> {
  const text = (await readFile(NGINX, 'utf8'))
    .replace('127.0.0.1:8180', `keyward-gate.${SYSTEM}.svc.cluster.local:8180`)
    .replace('127.0.0.1:9000', `api.${SHOP}.svc.cluster.local:9000`)
    .replace('/var/log/nginx/keyward.log', '/dev/stdout');
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'gateway-keyward', namespace: SHOP },
    data: { 'keyward.conf': text },
  };
  stage.screen.command('kubectl apply -f deploy/gate/nginx/keyward.conf, as a ConfigMap');
  await stage.ask(['apply', '-f', '-'], stringify(configMap));
}
