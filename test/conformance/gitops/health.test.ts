/**
 * contrib/states.yaml against the tools themselves. With `vitest -u` the files beside the scripts
 * for Argo CD (testdata and health_test.yaml) are written anew from what is true now.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ensureGitops } from '../../../control-plane/gitops.ts';
import { conditionOf } from './situation.ts';
import { KINDS, MAKERS, rowsOf } from './states.ts';
import { argoFolder, judgeAll, type Judged } from './verdicts.ts';

/** A new machine compiles the tools first. */
const BUILD_MS = 15 * 60_000;

let all: readonly Judged[] = [];
beforeAll(async () => {
  await ensureGitops();
  all = await judgeAll();
}, BUILD_MS);

const yaml = (value: unknown): string => stringify(value, { lineWidth: 0 });

describe.each(KINDS)('%s', (kind) => {
  const judged = (): readonly Judged[] => all.filter((each) => each.kind === kind);
  const verdictsOf = (pick: (each: Judged) => unknown): object =>
    Object.fromEntries(judged().map((each) => [each.row.name, pick(each)]));

  test('is what the table says in each situation', () => {
    const ready = verdictsOf(({ object }) => {
      const condition = conditionOf(object, 'Ready');
      return `${condition?.status}/${condition?.reason}`;
    });
    expect(ready).toEqual(verdictsOf(({ row }) => row.ready));
  });

  test('has a row for each situation that somebody makes', () => {
    expect(
      rowsOf(kind)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(Object.keys(MAKERS[kind]).toSorted());
  });

  test('has the health that the table says, by the Lua evaluation of Argo CD', () => {
    expect(verdictsOf(({ verdicts }) => verdicts.argo.status)).toEqual(
      verdictsOf(({ row }) => row.argo),
    );
  });

  test('has the same health by the settings for argocd-cm, in their sandbox', () => {
    expect(verdictsOf(({ verdicts }) => verdicts.settings)).toEqual(
      verdictsOf(({ verdicts }) => verdicts.argo),
    );
  });

  test('says in every health message what is the case', () => {
    const silent = judged().filter(({ object, verdicts: { argo } }) => {
      const { reason = '', message = '' } = conditionOf(object, 'Ready') ?? {};
      const told = argo.message ?? '';
      if (argo.status === 'Suspended') return !told.includes(message);
      return argo.status === 'Degraded' ? !told.includes(reason) : told === '';
    });
    expect(silent.map(({ row }) => row.name)).toEqual([]);
  });

  test('has the kstatus that the table says, by the library of Flux', () => {
    expect(verdictsOf(({ verdicts }) => verdicts.kstatus.status)).toEqual(
      verdictsOf(({ row }) => row.kstatus),
    );
  });

  test.each(['strict', 'tolerant'] as const)(
    'has the status that the table says by the %s expressions, evaluated by Flux',
    (variant) => {
      expect(verdictsOf(({ verdicts }) => verdicts[variant].status)).toEqual(
        verdictsOf(({ row }) => row[variant]),
      );
    },
  );

  test('has its objects and messages beside its script, in the layout of Argo CD', async () => {
    const folder = argoFolder(kind);
    for (const { row, object } of judged()) {
      // One after the other: each is a file.
      // oxlint-disable-next-line no-await-in-loop
      await expect(yaml(object)).toMatchFileSnapshot(join(folder, 'testdata', `${row.name}.yaml`));
    }
    const tests = judged().map(({ row, verdicts }) => ({
      healthStatus: verdicts.argo,
      inputPath: `testdata/${row.name}.yaml`,
    }));
    await expect(yaml({ tests })).toMatchFileSnapshot(join(folder, 'health_test.yaml'));
    expect(readdirSync(join(folder, 'testdata')).toSorted()).toEqual(
      judged()
        .map(({ row }) => `${row.name}.yaml`)
        .toSorted(),
    );
  });
});

test('both kinds of stores have the same script', () => {
  const script = (kind: 'KeyStore' | 'ClusterKeyStore'): string =>
    readFileSync(join(argoFolder(kind), 'health.lua'), 'utf8');
  expect(script('ClusterKeyStore')).toBe(script('KeyStore'));
});
