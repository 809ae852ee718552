/** What an uninstallation leaves, and why: whatever cannot be made again. */
import { expect } from '../../demo/expect.ts';
import { expectSame, identityOf } from '../identity.ts';
import type { Sensitive } from '../../src/kernel/sensitive.ts';
import { SHOP, SYSTEM, type Stage } from '../stage.ts';
import type { Step } from '../step.ts';
import { helmFlags } from './install.ts';
import { expectCalls } from './trouble.ts';

const URL = 'http://gateway:8000/forecast/today';
/** A namespace that is deleted while no operator runs. */
const ORPHANED = 'orphaned';

/** What must still be there: [namespace, object]. */
const REMAINS: readonly (readonly [string, string])[] = [
  ['', 'crd/apikeys.keyward.dev'],
  [SYSTEM, 'pvc/keyward-data'],
  [SYSTEM, 'secret/keyward-master-key'],
  [SHOP, 'akey/hello'],
  [SHOP, 'secret/hello'],
];

export const uninstall: Step = {
  title: 'Uninstall: kinds, volume, master key and keys remain',
  short: 'helm uninstall',
  async run(stage) {
    await makeOrphan(stage);
    stage.screen.block(await stage.helm('uninstall', 'keyward', '-n', SYSTEM, '--wait'));
    for (const [namespace, name] of REMAINS) {
      const where = namespace === '' ? [] : ['-n', namespace];
      const { code, stderr } = await stage.try([...where, 'get', name]);
      expect(`${name} remains`, code === 0, stderr);
      stage.screen.proof(`${name} remains`);
    }
    await stage.until('nothing runs any more', async () => {
      const left = await stage.ask(['-n', SYSTEM, 'get', 'deploy,sts,pod,svc,job', '-o', 'name']);
      return left.trim() === '';
    });
    stage.screen.proof('no pod, Service or Job remains');
  },
};

/** A key of a namespace that will be deleted while nobody looks after it. */
async function makeOrphan(stage: Stage): Promise<void> {
  const metadata = { name: 'orphan', namespace: ORPHANED };
  const key = { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKey', metadata, spec: {} };
  await stage.kubectl('create', 'namespace', ORPHANED);
  await stage.ask(['apply', '-f', '-'], JSON.stringify(key));
  await stage.wait(ORPHANED, 'akey/orphan', '--for=condition=Ready');
  stage.orphan = (await stage.secret('orphan', ORPHANED)).value('apiKey');
  const verdict = await verdictOn(stage, stage.orphan);
  expect('the key is accepted', verdict === '200', verdict);
}

export const reinstall: Step = {
  title: 'Install again: the same keys, from the volume and the master key',
  short: 'helm install again',
  async run(stage) {
    const before = await identityOf(stage, 'hello');
    await stage.helm('install', 'keyward', stage.settings.chart, ...helmFlags('sqlite'));
    await stage.wait(SHOP, 'akey/hello', '--for=condition=Ready');
    await expectSame(stage, 'hello', before);
    stage.screen.say(
      'The Service of the gate has a new address; nginx looks names up once, when it starts.',
    );
    await stage.kubectl('-n', SHOP, 'rollout', 'restart', 'deploy/gateway');
    await stage.ask(['-n', SHOP, 'rollout', 'status', 'deploy/gateway', '--timeout=120s']);
    await expectCalls(stage);
    await expectEnded(stage);
  },
};

/** Without an operator nobody takes finalizers off, so a person must be able to. */
export const orphaned: Step = {
  title: 'A namespace deleted while there is no operator can be freed by hand',
  short: 'orphaned namespace',
  async run(stage) {
    const { screen } = stage;
    await stage.kubectl('delete', 'namespace', ORPHANED, '--wait=false');
    await stage.until('the namespace waits for its key', async () => {
      const path = '.status.conditions[?(@.type=="NamespaceFinalizersRemaining")].status';
      return (await stage.field('', `namespace/${ORPHANED}`, path)) === 'True';
    });
    screen.say('Its key has a finalizer, which only the operator takes off. By hand:');
    const free = '{"metadata":{"finalizers":null}}';
    const args = ['-n', ORPHANED, 'patch', 'akey/orphan', '--type=merge', '-p', free];
    screen.command(`kubectl ${args.slice(0, -1).join(' ')} '${free}'`);
    await stage.ask(args);
    await stage.until('the namespace is gone', () => isGone(stage, ORPHANED));
    screen.proof(`namespace ${ORPHANED} is gone; the key is ended when an operator runs again`);
  },
};

export const goodbye: Step = {
  title: 'A namespace with keys is deleted: no finalizer holds it',
  short: 'namespace deleted',
  async run(stage) {
    const startMs = performance.now();
    await stage.kubectl('delete', 'namespace', SHOP, '--timeout=120s');
    stage.figures.time('namespace with keys deleted', performance.now() - startMs);
    expect(`namespace ${SHOP} is gone`, await isGone(stage, SHOP), 'it is there');
    stage.screen.proof(`namespace ${SHOP} is gone, and its keys with it`);
  },
};

/** The key whose object was taken away while no operator ran. */
async function expectEnded(stage: Stage): Promise<void> {
  const ms = await stage.until('the orphaned key is refused', async () => {
    return (await verdictOn(stage, stage.orphan)) === '401';
  });
  stage.figures.time('installed again to the orphaned key ended', ms);
  stage.screen.proof('the operator has found that the orphaned key has no object: it gets 401 now');
}

/** What a call with this key gets; empty when nobody answers. */
async function verdictOn(stage: Stage, key: Sensitive | undefined): Promise<string> {
  const header = `X-API-Key: ${key?.revealText() ?? ''}`;
  const call = ['wget', '-q', '-O', '/dev/null', '--header', header, URL];
  const { code, stderr } = await stage.try(['-n', SHOP, 'exec', 'deploy/checkout', '--', ...call]);
  return code === 0 ? '200' : (/HTTP\/1\.1 (\d+)/.exec(stderr)?.[1] ?? '');
}

async function isGone(stage: Stage, namespace: string): Promise<boolean> {
  const args = ['get', 'namespace', namespace, '--ignore-not-found', '-o', 'name'];
  return (await stage.ask(args)) === '';
}
