/** Helm installs the chart, and the operator's pod becomes Ready from the image under test. */
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '../../demo/expect.ts';
import { SYSTEM, type Stage } from '../stage.ts';
import type { Step } from '../step.ts';

/** Of the image's user; a hostPath is not chowned by the kubelet. */
const USER = 65_532;
const MANIFESTS = join(import.meta.dirname, '..', 'manifests');
const VALUES = { sqlite: 'values.yaml', postgres: 'postgresql.yaml' } as const;

/** Flags of every installation and upgrade here. */
export function helmFlags(database: keyof typeof VALUES): readonly string[] {
  const values = join(MANIFESTS, VALUES[database]);
  return ['-n', SYSTEM, '-f', values, '--wait', '--timeout', '5m'];
}

export const install: Step = {
  title: 'Install: Helm, the chart, a volume by hand',
  short: 'helm install',
  async run(stage) {
    const { screen, figures, settings } = stage;
    await makeVolume(stage);
    const startMs = performance.now();
    const said = await stage.helm(
      'install',
      'keyward',
      settings.chart,
      '--create-namespace',
      ...helmFlags('sqlite'),
    );
    figures.time('helm install to Ready', performance.now() - startMs);
    screen.block(said);
    await stage.kubectl('-n', SYSTEM, 'get', 'pods,pvc,svc');
    const image = await stage.field(SYSTEM, 'pod/keyward-0', '.spec.containers[0].image');
    expect(`keyward-0 runs keyward:${settings.version}`, image.endsWith(settings.version), image);
    screen.proof(`the operator's pod is Ready, from ${image}`);
    await expectKeys(stage);
  },
};

/** What the chart's hook made, before anything else ran. */
export async function expectKeys(stage: Stage): Promise<void> {
  for (const name of ['keyward-master-key', 'keyward-gate-key']) {
    const found = await stage.field(SYSTEM, `secret/${name}`, '.metadata.name');
    expect(`Secret ${name}`, found === name, 'there is none');
  }
  stage.screen.proof('the hook has made the master key, and the key of the gate from it');
}

async function makeVolume(stage: Stage): Promise<void> {
  const path = join(stage.settings.workDir, 'volume');
  await mkdir(path, { mode: 0o700 });
  await chown(path, USER, USER);
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'keyward' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path },
    },
  };
  stage.screen.command('kubectl apply -f volume.yaml');
  stage.screen.block(await stage.ask(['apply', '-f', '-'], JSON.stringify(volume)));
}
