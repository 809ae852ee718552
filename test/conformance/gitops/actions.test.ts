/** The actions for Argo CD: which are offered in which situation, and what they change. */
import { beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { join } from 'node:path';
import { askGitops, ensureGitops, type Question } from '../../../control-plane/gitops.ts';
import type { Kind, Shown } from './situation.ts';
import { MAKERS } from './states.ts';
import { argoFolder, argoSettings } from './verdicts.ts';

/** A new machine compiles the tools first. */
const BUILD_MS = 15 * 60_000;
beforeAll(() => ensureGitops(), BUILD_MS);

type Offer = { readonly name: string; readonly disabled?: boolean };

const settings = argoSettings();

/** @throws what the first question that failed said */
async function results(questions: readonly Question[]): Promise<readonly unknown[]> {
  const answers = await askGitops(questions.map((question) => ({ ...question, settings })));
  return answers.map((answer) => {
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result;
  });
}

async function madeOf(kind: Kind): Promise<Readonly<Record<string, Shown>>> {
  const made = Object.entries(MAKERS[kind]).map(async ([name, make]) => [name, await make()]);
  // The names with their objects.
  return Object.fromEntries(await Promise.all(made)) as Readonly<Record<string, Shown>>;
}

/** Names of the situations in which each action can be clicked. */
async function offered(kind: Kind): Promise<Readonly<Record<string, readonly string[]>>> {
  const objects = Object.entries(await madeOf(kind));
  const answers = await results(objects.map(([, object]) => ({ op: 'argo-actions', object })));
  const names: Record<string, string[]> = {};
  for (const [at, [name]] of objects.entries()) {
    // Parser: what gitops/argo.go writes.
    for (const offer of answers[at] as readonly Offer[]) {
      const list = (names[offer.name] ??= []);
      if (offer.disabled !== true) list.push(name);
    }
  }
  return names;
}

async function after(kind: Kind, situation: string, action: string): Promise<Shown> {
  const object = (await madeOf(kind))[situation];
  const [changed] = await results([{ op: 'argo-run-action', object, action }]);
  // An object of the same kind.
  return changed as Shown;
}

describe('an ApiKey', () => {
  test('offers to rotate what works and did not come of a form', async () => {
    const { rotate = [] } = await offered('ApiKey');
    expect(rotate).toEqual(expect.arrayContaining(['active', 'rotating', 'secret-lost']));
    const made = await madeOf('ApiKey');
    for (const name of rotate) {
      const { spec, status } = made[name] ?? {};
      expect(JSON.stringify([spec, status])).toMatch(/"type":"Ready","status":"True"|SecretLost/);
      expect(spec).toMatchObject({ state: 'Active' });
      expect(spec).not.toHaveProperty('applicationRef');
    }
    expect(rotate).not.toEqual(expect.arrayContaining(['granted']));
  });

  test('offers to suspend what its spec has on, to resume what its spec has off, and no approval', async () => {
    const offers = await offered('ApiKey');
    expect(Object.keys(offers).toSorted()).toEqual(['resume', 'rotate', 'suspend']);
    expect(offers['resume']).toEqual(['suspended']);
    expect(offers['suspend']).not.toContain('revoked');
    expect(offers['suspend']).toContain('active');
  });

  test('is rotated by an annotation alone, named by the minute', async () => {
    const object = (await madeOf('ApiKey'))['active'];
    const rotated = await after('ApiKey', 'active', 'rotate');
    const { annotations, ...metadata } = rotated.metadata;
    expect({ ...rotated, metadata }).toEqual(object);
    expect(Object.keys(annotations ?? {})).toEqual(['keyward.dev/rotate-request-id']);
    expect(annotations?.['keyward.dev/rotate-request-id']).toMatch(
      /^argocd-\d{4}-\d\d-\d\dT\d\d:\d\dZ$/,
    );
  });
});

test('an ApiClient offers to suspend and to resume, and nothing that ends it', async () => {
  expect(await offered('ApiClient')).toMatchObject({
    resume: ['suspended'],
    suspend: expect.arrayContaining(['active', 'registered']),
  });
});

describe.each(['ApiKey', 'ApiClient'] as const)('%s', (kind) => {
  test('is switched off and on by spec.state alone', async () => {
    const { active, suspended } = await madeOf(kind);
    const off = await after(kind, 'active', 'suspend');
    expect(off).toEqual({ ...active, spec: { ...active?.spec, state: 'Suspended' } });
    const on = await after(kind, 'suspended', 'resume');
    expect(on).toEqual({ ...suspended, spec: { ...suspended?.spec, state: 'Active' } });
  });

  test('has its actions with their results beside its scripts, in the layout of Argo CD', async () => {
    const folder = join(argoFolder(kind), 'actions');
    const file = (name: string, value: unknown) =>
      expect(stringify(value, { lineWidth: 0 })).toMatchFileSnapshot(join(folder, name));
    const all = await madeOf(kind);
    const subjects = ['active', 'suspended'];
    const offers = await results(
      subjects.map((name) => ({ op: 'argo-actions', object: all[name] })),
    );
    await file('action_test.yaml', {
      discoveryTests: subjects.map((name, at) => ({
        inputPath: `../testdata/${name}.yaml`,
        result: offers[at],
      })),
      actionTests: [
        { action: 'suspend', from: 'active', to: 'suspended' },
        { action: 'resume', from: 'suspended', to: 'resumed' },
      ].map(({ action, from, to }) => ({
        action,
        inputPath: `../testdata/${from}.yaml`,
        expectedOutputPath: `testdata/${to}.yaml`,
      })),
    });
    await file('testdata/suspended.yaml', await after(kind, 'active', 'suspend'));
    await file('testdata/resumed.yaml', await after(kind, 'suspended', 'resume'));
  });
});
