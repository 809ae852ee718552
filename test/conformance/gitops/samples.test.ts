/** The Applications and Kustomizations of samples/gitops, read as Argo CD's and Flux's own types. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { askGitops, ensureGitops } from '../../../control-plane/gitops.ts';
import { ROOT } from '../../runner/command.ts';
import { manifests, type Manifest } from '../../support/gitops.site.ts';
import { fluxChecks } from './verdicts.ts';

/** A new machine compiles the tools first. */
const BUILD_MS = 15 * 60_000;
beforeAll(() => ensureGitops(), BUILD_MS);

const APPLICATIONS = manifests(
  'argocd/root.yaml',
  'argocd/applications.yaml',
) as readonly (Manifest & {
  readonly spec: { readonly source: { readonly path: string } };
})[];
const KUSTOMIZATIONS = manifests('flux/kustomizations.yaml') as readonly (Manifest & {
  readonly spec: {
    readonly path: string;
    readonly dependsOn?: readonly { readonly name: string }[];
    readonly healthCheckExprs?: unknown;
  };
})[];

const isFolder = (path: string): boolean => existsSync(join(ROOT, 'samples', 'gitops', path));

test('every Application and Kustomization has only fields that its tool knows', async () => {
  const answers = await askGitops([
    ...APPLICATIONS.map((object) => ({ op: 'argo-application', object })),
    ...KUSTOMIZATIONS.map((object) => ({ op: 'flux-kustomization', object })),
    { op: 'flux-kustomization', object: { ...KUSTOMIZATIONS[0], spec: { dependOn: [] } } },
  ]);
  expect(answers.slice(0, -1)).toEqual(
    [...APPLICATIONS, ...KUSTOMIZATIONS].map(() => ({ result: null })),
  );
  expect(answers.at(-1)).toMatchObject({ error: expect.stringContaining('dependOn') });
});

test('every path is a folder of the sample', () => {
  const paths = [
    ...APPLICATIONS.map(({ spec }) => spec.source.path),
    ...KUSTOMIZATIONS.map(({ spec }) => spec.path),
  ];
  expect(paths.filter((path) => !isFolder(path))).toEqual([]);
});

describe('the order', () => {
  test('is stores, then keys and reviews, then workloads for Argo CD', () => {
    const wave = ({ metadata }: Manifest): number =>
      Number(metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? 0);
    const waves = APPLICATIONS.map((object) => [object.metadata.name, wave(object)]);
    expect(Object.fromEntries(waves)).toEqual({
      root: 0,
      'keyward-stores': -2,
      'storefront-keys': -1,
      'storefront-reviews': -1,
      storefront: 0,
    });
  });

  test('is the same for Flux, and no review waits for the form that waits for it', () => {
    const needs = KUSTOMIZATIONS.map(({ metadata, spec }) => [
      metadata.name,
      (spec.dependsOn ?? []).map(({ name }) => name),
    ]);
    expect(Object.fromEntries(needs)).toEqual({
      'keyward-stores': [],
      'storefront-keys': ['keyward-stores'],
      'storefront-reviews': ['keyward-stores'],
      storefront: ['storefront-keys'],
    });
  });
});

test('the health checks of the sample are the strict ones', () => {
  const checks = KUSTOMIZATIONS.flatMap(({ spec }) =>
    spec.healthCheckExprs === undefined ? [] : [spec.healthCheckExprs],
  );
  expect(checks).toEqual(Array.from({ length: 3 }, () => fluxChecks('strict')));
});
