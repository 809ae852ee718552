/** contrib/argocd as a kustomize component, by the kustomize in kubectl. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { ensureBinary } from '../../../control-plane/binaries.ts';
import { ROOT } from '../../runner/command.ts';
import { argoSettings } from './verdicts.ts';

/** A new machine compiles kubectl first. */
const BUILD_MS = 15 * 60_000;

test(
  'adds the settings to the ConfigMap of an Argo CD that kustomize installs, and leaves its own',
  async () => {
    const kubectl = await ensureBinary('kubectl');
    const folder = await mkdtemp(join(tmpdir(), 'keyward-component-'));
    try {
      await cp(join(ROOT, 'contrib', 'argocd'), join(folder, 'keyward'), { recursive: true });
      const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm' } };
      await writeFile(
        join(folder, 'argocd-cm.yaml'),
        stringify({ ...configMap, data: { url: 'https://argocd.example.com' } }),
      );
      const kustomization = { resources: ['argocd-cm.yaml'], components: ['keyward'] };
      await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
      const { stdout } = await promisify(execFile)(kubectl, ['kustomize', folder]);
      expect(parse(stdout)).toEqual({
        ...configMap,
        data: { ...argoSettings(), url: 'https://argocd.example.com' },
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  BUILD_MS,
);
