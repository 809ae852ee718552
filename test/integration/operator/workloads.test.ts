/** Workloads that are restarted when a key rotates: once, by one annotation, and by nothing else of ours. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiKeyRestartTarget, ApiKeySpec } from '../../../src/api/generated/apikey.ts';
import { EVENTS, WORKLOADS } from '../../../src/api/names.ts';
import { objectPath } from '../../../src/kube/paths.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { TestApi, type Loose } from '../../support/operator.api.ts';
import { condition, Site } from '../../support/operator.site.ts';

type Kind = ApiKeyRestartTarget['kind'];
type Workload = Loose & {
  readonly spec: { readonly template: { readonly metadata: { annotations?: Notes } } };
};
type Notes = Readonly<Record<string, string>>;

let site: Site;
/** The API server as the operator's account sees it. */
let operator: TestApi;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), restarts: 'Allowed' });
  operator = await TestApi.open(site.kubeconfig);
  await site.start();
});

afterAll(async () => {
  operator.close();
  await site.close();
});

function manifest(kind: Kind, name: string): object {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: site.namespace, labels: { team: 'shop' } },
    spec: {
      selector: { matchLabels: { app: name } },
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      ...(kind === 'DaemonSet' ? {} : { replicas: 1 }),
      template: {
        metadata: { labels: { app: name }, annotations: { theirs: 'kept' } },
        spec: { containers: [{ name: 'main', image: 'app:1' }] },
      },
    },
  };
}

/** Server-side apply as a GitOps controller does it; answers the object. */
async function applied(kind: Kind, name: string, query = ''): Promise<Loose> {
  const path = objectPath(WORKLOADS[kind], { namespace: site.namespace, name });
  const answer = await site.api.request(
    'PATCH',
    `${path}?fieldManager=gitops&force=true${query}`,
    manifest(kind, name),
    'application/apply-patch+yaml',
  );
  expect(answer.code).toBeLessThan(300);
  // Asked for by its path.
  return answer.body as Loose;
}

async function workload(kind: Kind, name: string): Promise<Workload> {
  // Asked for by kind.
  return (await site.api.get(WORKLOADS[kind], site.namespace, name)) as Workload;
}

async function noteOf(kind: Kind, name: string, key: string): Promise<string | undefined> {
  const { spec } = await workload(kind, name);
  return spec.template.metadata.annotations?.[`restart.keyward.dev/${key}`];
}

/** The fields that a manager owns. */
function ownedBy({ metadata }: Workload, wanted: string): unknown {
  const { managedFields = [] } = metadata as {
    readonly managedFields?: readonly { readonly manager: string; readonly fieldsV1: unknown }[];
  };
  return managedFields.find(({ manager }) => manager === wanted)?.fieldsV1;
}

function rotation(
  restartTargets: readonly ApiKeyRestartTarget[],
  more: Partial<NonNullable<ApiKeySpec['rotation']>> = {},
) {
  return { rotation: { restartTargets, ...more } };
}

async function rotate(name: string, requestId: string, more: object = {}): Promise<void> {
  await site.edit(name, { rotation: { requestId, ...more } });
  await site.untilRotated(name, requestId);
}

const deployment = (name: string): ApiKeyRestartTarget => ({ kind: 'Deployment', name });

describe('a rotation', () => {
  test('rolls every kind of workload once, and a restarted operator rolls nothing again', async () => {
    const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;
    for (const kind of kinds) await applied(kind, 'every');
    await site.issue('every', rotation(kinds.map((kind) => ({ kind, name: 'every' }))));
    for (const kind of kinds) expect(await noteOf(kind, 'every', 'every')).toBeUndefined();
    await rotate('every', 'one');
    const { keyId } = (await site.key('every')).status;
    for (const kind of kinds) {
      await eventually(async () =>
        expect(await noteOf(kind, 'every', 'every')).toBe(`${keyId}/apiKey.1`),
      );
    }
    const before = await Promise.all(kinds.map((kind) => workload(kind, 'every')));
    expect(before.map(({ metadata }) => metadata.generation)).toEqual([2, 2, 2]);
    await site.restart();
    // Whatever it owed would be done before it says that it has seen this.
    await site.edit('every', { displayName: 'seen' });
    await site.until('every', 'Rotating');
    const after = await Promise.all(kinds.map((kind) => workload(kind, 'every')));
    expect(after.map(({ metadata }) => metadata.generation)).toEqual([2, 2, 2]);
  });

  test('leads the deployment controller to new pods', async () => {
    await applied('Deployment', 'rolled');
    await site.issue('rolled', rotation([deployment('rolled')]));
    await rotate('rolled', 'one', { urgency: 'Emergency' });
    const sets = `/apis/apps/v1/namespaces/${site.namespace}/replicasets?labelSelector=app%3Drolled`;
    await eventually(async () => {
      const { body } = await site.api.request('GET', sets);
      // A list.
      expect((body as { readonly items: readonly unknown[] }).items).toHaveLength(2);
    });
  });

  test('is told at the key and at the workload', async () => {
    await applied('Deployment', 'told');
    await site.issue('told', rotation([deployment('told')]));
    await rotate('told', 'one');
    await eventually(async () => {
      const events = await site.api.list(EVENTS, site.namespace);
      const told = events.map((event) => event as Loose & { note?: string; regarding: Loose });
      const notes = told.map(({ note, regarding }) => `${regarding.kind}: ${note}`);
      expect(notes).toContain('ApiKey: Restarted Deployment told for new values');
      expect(notes).toContain('Deployment: Restarted for new values of ApiKey told');
    });
  });

  test('goes on without a workload that does not exist, and says so until it does', async () => {
    await site.issue('missing', rotation([deployment('nowhere')]));
    await rotate('missing', 'one');
    await eventually(async () => {
      const key = await site.key('missing');
      expect(condition(key, 'WorkloadsRestarted')).toMatchObject({
        status: 'False',
        reason: 'TargetMissing',
        message: expect.stringContaining('Deployment nowhere does not exist'),
      });
      expect(condition(key, 'Ready')?.status).toBe('True');
    });
    await site.edit('missing', rotation([]));
    await eventually(async () =>
      expect(condition(await site.key('missing'), 'WorkloadsRestarted')).toBeUndefined(),
    );
  });

  test('of several keys leaves the annotation of each', async () => {
    await applied('Deployment', 'shared');
    await site.issue('first', rotation([deployment('shared')]));
    await site.issue('second', rotation([deployment('shared')]));
    await rotate('first', 'one');
    await rotate('second', 'one');
    await eventually(async () => {
      expect(await noteOf('Deployment', 'shared', 'first')).toBeDefined();
      const second = condition(await site.key('second'), 'WorkloadsRestarted');
      expect(second?.reason).toBe('RestartLimited');
    });
  });
});

describe('a workload that GitOps applies', () => {
  test.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)(
    'shows no drift after a rotation (%s)',
    async (kind) => {
      const name = `drift-${kind.toLowerCase()}`;
      await applied(kind, name);
      await site.issue(name, rotation([{ kind, name }]));
      await rotate(name, 'one');
      const note = await eventually(async () => {
        const seen = await noteOf(kind, name, name);
        expect(seen).toBeDefined();
        return seen;
      });
      const before = await workload(kind, name);
      const pretended = await applied(kind, name, '&dryRun=All');
      expect(pretended.spec).toEqual(before.spec);
      expect((await applied(kind, name)).metadata.generation).toBe(before.metadata.generation);
      expect(await noteOf(kind, name, name)).toBe(note);
      expect(ownedBy(before, 'keyward-rollout')).toEqual({
        'f:spec': {
          'f:template': {
            'f:metadata': { 'f:annotations': { [`f:restart.keyward.dev/${name}`]: {} } },
          },
        },
      });
    },
  );

  test('shows none to kubectl diff either', async () => {
    const { access } = site;
    const input = JSON.stringify(manifest('Deployment', 'diffed'));
    await access.mustKubectl(['apply', '-f', '-'], { input });
    await site.issue('diffed', rotation([deployment('diffed')]));
    await rotate('diffed', 'one');
    await eventually(async () =>
      expect(await noteOf('Deployment', 'diffed', 'diffed')).toBeDefined(),
    );
    await access.mustKubectl(['diff', '-f', '-'], { input });
  });
});

describe('the account of the operator', () => {
  const note = { 'restart.keyward.dev/x': '1' };
  const template = (change: object) => ({ spec: { template: change } });

  test.each<[string, object]>([
    ['an image', template({ spec: { containers: [{ name: 'main', image: 'evil:1' }] } })],
    ['an account', template({ spec: { serviceAccountName: 'admin' } })],
    ['a label of the pods', template({ metadata: { labels: { evil: 'yes' } } })],
    ['an annotation of somebody else', template({ metadata: { annotations: { theirs: 'mine' } } })],
    ['an annotation that injects', template({ metadata: { annotations: { 'sidecar/x': 'yes' } } })],
    ['a lookalike', template({ metadata: { annotations: { 'x.restart.keyward.dev/x': '1' } } })],
    ['less annotations', template({ metadata: { annotations: { ...note, theirs: null } } })],
    ['the number of pods', { spec: { replicas: 0 } }],
    ['whether it goes on', { spec: { paused: true } }],
    ['how it is rolled', { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } }],
    ['how long it waits', { spec: { minReadySeconds: 5 } }],
    ['its labels', { metadata: { labels: { team: 'ours' } } }],
    ['its annotations', { metadata: { annotations: { ours: 'yes' } } }],
    ['its finalizers', { metadata: { finalizers: ['keyward.dev/x'] } }],
    [
      'its owner',
      {
        metadata: {
          ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u' }],
        },
      },
    ],
  ])('cannot change %s of a workload', async (_, change) => {
    await applied('Deployment', 'attacked');
    const at = [site.namespace, 'attacked'] as const;
    await expect(operator.patch(WORKLOADS.Deployment, at, change)).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining('the Keyward operator may only change'),
    });
  });

  test.each(['Deployment', 'StatefulSet', 'DaemonSet'] as const)(
    'can set and take away its own annotation, and nothing of the pods (%s)',
    async (kind) => {
      await applied(kind, 'allowed');
      const at = [site.namespace, 'allowed'] as const;
      const set = template({ metadata: { annotations: note } });
      await operator.patch(WORKLOADS[kind], at, set);
      const taken = template({ metadata: { annotations: { 'restart.keyward.dev/x': null } } });
      await operator.patch(WORKLOADS[kind], at, taken);
      const evil = template({ spec: { hostNetwork: true } });
      await expect(operator.patch(WORKLOADS[kind], at, evil)).rejects.toThrow('403');
    },
  );

  test('can neither make nor delete nor list workloads', async () => {
    const { namespace } = site;
    const draft = manifest('Deployment', 'made') as { metadata: { name: string } };
    await expect(operator.create(WORKLOADS.Deployment, draft)).rejects.toThrow('403');
    await expect(operator.list(WORKLOADS.Deployment, namespace)).rejects.toThrow('403');
    await expect(operator.remove(WORKLOADS.Deployment, namespace, 'attacked')).rejects.toThrow(
      '403',
    );
  });
});

describe('an operator without the right to restart', () => {
  test('rotates all the same, and says what to install', async () => {
    const bare = await Site.open({ access: sharedControlPlane() });
    try {
      await bare.start();
      await bare.issue('web', rotation([deployment('web')]));
      await bare.edit('web', { rotation: { requestId: 'one' } });
      await bare.untilRotated('web', 'one');
      await eventually(async () => {
        const key = await bare.key('web');
        expect(condition(key, 'WorkloadsRestarted')).toMatchObject({
          reason: 'TargetRefused',
          message: expect.stringContaining('deploy/rbac/restart'),
        });
      });
    } finally {
      await bare.close();
    }
  });
});
