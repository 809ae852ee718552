/**
 * GitOps on a real API server with the real operator. The repository of samples/gitops lives through
 * issue, review, change, rotation, suspension and loss, once by Flux and once by Argo CD, and neither finds
 * that anything differs from what it applied.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureGitops } from '../../../control-plane/gitops.ts';
import { installKeyward } from '../../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../../control-plane/start.ts';
import { API_KEY_APPLICATIONS, API_KEY_REVIEWS, SECRETS } from '../../../src/api/names.ts';
import { fluxChecks } from '../../conformance/gitops/verdicts.ts';
import { eventually } from '../../support/eventually.ts';
import {
  ArgoCd,
  Flux,
  manifests,
  type Manifest,
  type Pipeline,
} from '../../support/gitops.site.ts';
import { untilProven } from '../../support/operator.ts';
import type { Form, Review } from '../../support/operator.people.ts';
import { condition, Site } from '../../support/operator.site.ts';

/** A new machine compiles the tools first. */
const START_MS = 20 * 60_000;
const REVIEWER = 'rob@example.com';
const PLATFORM = manifests('stores/stores.yaml', 'stores/products.yaml', 'stores/approvers.yaml');

let plane: ControlPlane;
let site: Site;
let flux: Flux;
let argo: ArgoCd;

beforeAll(async () => {
  await ensureGitops();
  plane = await startControlPlane();
  await installKeyward(plane);
  [flux, argo] = await Promise.all([Flux.open(plane), ArgoCd.open(plane)]);
  const namespaces = ['storefront', 'backoffice'];
  const flags = { 'loss-grace-seconds': '1' };
  site = await Site.open({ access: plane, account: 'Own', namespaces, flags });
  await untilProven(await site.start());
  await flux.apply(PLATFORM);
}, START_MS);

afterAll(async () => {
  await site?.close();
  await plane?.stop();
});

/** What one namespace has in Git; edits are commits. */
class Repository {
  readonly namespace: string;
  readonly pipeline: Pipeline;
  #objects: readonly Manifest[];

  constructor(namespace: string, pipeline: Pipeline) {
    this.namespace = namespace;
    this.pipeline = pipeline;
    const move = (object: Manifest): Manifest =>
      object.kind === 'Namespace'
        ? { ...object, metadata: { ...object.metadata, name: namespace } }
        : { ...object, metadata: { ...object.metadata, namespace } };
    this.#objects = manifests('keys/namespace.yaml', 'keys/catalog.yaml', 'keys/metrics.yaml').map(
      move,
    );
  }

  get objects(): readonly Manifest[] {
    return this.#objects;
  }

  object(kind: string, name: string): Manifest {
    const found = this.#objects.find((each) => each.kind === kind && each.metadata.name === name);
    if (found === undefined) throw new Error(`Git has no ${kind} ${name}`);
    return found;
  }

  async sync(): Promise<void> {
    await this.pipeline.apply(this.#objects);
  }

  async add(object: Manifest): Promise<void> {
    this.#objects = [...this.#objects, object];
    await this.sync();
  }

  /** Merges fields into the spec, one level deep. */
  async edit(kind: string, name: string, change: Readonly<Record<string, object>>): Promise<void> {
    this.#objects = this.#objects.map((each) => {
      if (each.kind !== kind || each.metadata.name !== name) return each;
      const spec = each.spec as Readonly<Record<string, object>>;
      const merged = Object.entries(change).map(([field, value]) => [
        field,
        { ...spec[field], ...value },
      ]);
      return { ...each, spec: { ...spec, ...Object.fromEntries(merged) } };
    });
    await this.sync();
  }
}

async function formOf(namespace: string, state: string, round: number): Promise<Form> {
  return eventually(async () => {
    // Asked for by kind.
    const form = (await site.api.get(API_KEY_APPLICATIONS, namespace, 'catalog')) as unknown as
      | Form
      | undefined;
    expect(form?.status).toMatchObject({ state, round: { number: round } });
    return form as Form;
  });
}

/** The decision about the open round as a file, made as `keyward approve --export` makes it. */
function reviewOf(form: Form, account: string): Manifest {
  const { name, namespace = '', uid } = form.metadata;
  const { number, requestHash } = form.status.round ?? {};
  return {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKeyReview',
    metadata: { name: `catalog-${number}`, namespace },
    spec: {
      applicationRef: { name, uid },
      decision: 'Approved',
      requestHash,
      reviewer: { username: REVIEWER, attestedBy: account },
    },
  };
}

async function approve(git: Repository, round: number): Promise<void> {
  const form = await formOf(git.namespace, 'Pending', round);
  const review = reviewOf(form, git.pipeline.account);
  await git.add(review);
  const { name } = review.metadata;
  await eventually(async () => {
    // Asked for by kind.
    const judged = (await site.api.get(API_KEY_REVIEWS, git.namespace, name)) as unknown as Review;
    const said = judged.status.conditions?.find(({ type }) => type === 'Accepted');
    expect(said).toMatchObject({ reason: 'Decisive' });
  });
}

/** Everything that can happen to a key, once. */
async function live(git: Repository): Promise<void> {
  const { namespace } = git;
  await git.sync();
  await site.until('metrics', 'Active', namespace);
  await site.until('catalog', 'PendingReview', namespace);
  await approve(git, 1);
  await site.until('catalog', 'Active', namespace);
  await git.edit('ApiKey', 'metrics', { rotation: { requestId: 'spring' } });
  await site.untilRotated('metrics', 'spring', namespace);
  await git.edit('ApiKeyApplication', 'catalog', {
    terms: { quota: { requests: 200_000, period: 'Day' } },
  });
  await site.until('catalog', 'ChangePending', namespace);
  await approve(git, 2);
  const key = await eventually(async () => {
    const found = await site.key('catalog', namespace);
    expect(found.status.quota?.limit).toBe(200_000);
    return found;
  });
  expect(condition(key, 'Ready')?.status).toBe('True');
  await click(git, 'rotate');
  await site.until('metrics', 'Rotating', namespace);
  await site.api.remove(SECRETS, namespace, 'metrics-key');
  const { sequence = 0 } = (await site.key('metrics', namespace)).status;
  await eventually(async () => {
    const { status } = await site.key('metrics', namespace);
    expect(status.sequence).toBeGreaterThan(sequence);
    expect(status.conditions?.[0]?.status).toBe('True');
  });
}

async function click(git: Repository, action: string): Promise<void> {
  await argo.click(git.object('ApiKey', 'metrics'), action);
}

/** What differs by the tool's own comparison and by kubectl's, and which fields of Git's somebody took. */
async function differences({ pipeline, objects }: Repository): Promise<object> {
  const diff = await pipeline.diff(objects);
  const dryRun = await pipeline.dryRun(objects);
  return {
    found: await pipeline.drift(objects),
    printed: diff.stdout + diff.stderr,
    taken: dryRun.stderr,
    codes: [diff.code, dryRun.code],
  };
}

const NOTHING = { found: [], printed: '', taken: '', codes: [0, 0] };

describe.each(['Flux', 'Argo CD'])('a repository that %s applies', (tool) => {
  let git: Repository;
  beforeAll(() => {
    git = tool === 'Flux' ? new Repository('storefront', flux) : new Repository('backoffice', argo);
  });

  test('shows no drift after a whole life of its keys and forms', async () => {
    await live(git);
    expect(await differences(git)).toEqual(NOTHING);
  });

  test('shows no drift while a key is switched off by the action of Argo CD, and after', async () => {
    await click(git, 'suspend');
    await site.until('metrics', 'Suspended', git.namespace);
    expect(await differences(git)).toEqual(NOTHING);
    await git.sync();
    await site.until('metrics', 'Suspended', git.namespace);
    await click(git, 'resume');
    await eventually(async () => {
      const { status } = await site.key('metrics', git.namespace);
      expect(status.conditions?.[0]?.status).toBe('True');
    });
    expect(await differences(git)).toEqual(NOTHING);
  });

  test('shows drift where somebody edits what Git says, so the comparison can see', async () => {
    const patch = JSON.stringify({ spec: { rotation: { overlapSeconds: 60 } } });
    const at = ['-n', git.namespace, '--type=merge', '-p', patch];
    await plane.mustKubectl(['patch', 'apikey', 'metrics', ...at]);
    expect(await git.pipeline.drift(git.objects)).not.toEqual([]);
    expect((await git.pipeline.diff(git.objects)).code).not.toBe(0);
    await git.sync();
    expect(await differences(git)).toEqual(NOTHING);
  });

  test('leaves nothing of its own on the Secrets of its keys', async () => {
    const secret = await site.secret('catalog-key', git.namespace);
    const text = JSON.stringify(secret?.metadata);
    expect(text).not.toContain('argocd.argoproj.io');
    expect(text).not.toContain('toolkit.fluxcd.io');
    expect(text).not.toContain('last-applied-configuration');
    expect(text).toContain('"team":"storefront"');
  });
});

test('stores and products show no drift, and no field of theirs was taken', async () => {
  expect(await flux.drift(PLATFORM)).toEqual([]);
  expect(await flux.dryRun(PLATFORM)).toMatchObject({ code: 0, stderr: '' });
});

test('the samples of workloads are accepted, too', async () => {
  const workloads = manifests('workloads/storefront.yaml');
  expect(await flux.dryRun(workloads)).toMatchObject({ code: 0, stderr: '' });
});

test('Flux waits for people by the strict expressions, and not by the tolerant ones', async () => {
  const git = new Repository('storefront', flux);
  const [client, form] = [
    git.object('ApiClient', 'storefront'),
    git.object('ApiKeyApplication', 'catalog'),
  ];
  const waiting = { ...form, metadata: { ...form.metadata, name: 'waiting' } };
  await flux.apply([client, waiting]);
  await eventually(async () => {
    const object = await site.api.get(API_KEY_APPLICATIONS, 'storefront', 'waiting');
    expect(object?.status).toMatchObject({ state: 'Pending' });
  });
  const wait = (variant: 'strict' | 'tolerant') =>
    flux.wait([client, waiting], { healthChecks: fluxChecks(variant), timeoutSeconds: 2 });
  expect(await wait('tolerant')).toBeUndefined();
  expect(await wait('strict')).toContain('waiting');
});
