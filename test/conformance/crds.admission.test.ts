/** Who may write what: the admission policies, asked of the real API server. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import {
  accepted,
  apiKey,
  expectedOutcome,
  OPERATOR,
  outcome,
  policiesInForce,
  senderTo,
  type Answer,
  type Caller,
} from './crds.apiserver.ts';

const access = sharedControlPlane();
const send = senderTo(access);
const FINALIZER = 'keyward.dev/revoke';
let namespace = '';
let keys = '';
let secrets = '';

/** In these names the cases speak; rights are given in beforeAll. */
const EDITOR: Caller = { username: 'editor' };
const KEYS_ONLY: Caller = { username: 'keys-only' };
const RELEASER: Caller = { username: 'releaser' };
const IMPOSTOR: Caller = { username: 'system:serviceaccount:default:keyward-operator' };
const SECOND: Caller = {
  username: 'system:serviceaccount:keyward-system:keyward-operator-plan-7',
};

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'crds');
  await policiesInForce(send, namespace);
  keys = `/apis/keyward.dev/v1alpha1/namespaces/${namespace}/apikeys`;
  secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const bind = (role: string, ...users: readonly string[]): Promise<string> => {
    const name = `${role.replaceAll(':', '-')}-${users[0]}`;
    const subjects = users.map((user) => `--user=${user}`);
    const what = ['create', 'rolebinding', name, '-n', namespace, `--clusterrole=${role}`];
    return access.mustKubectl([...what, ...subjects]);
  };
  await bind('edit', EDITOR.username);
  await bind('keyward-edit', KEYS_ONLY.username);
  await bind('keyward-view', KEYS_ONLY.username);
  await bind('keyward-release', RELEASER.username);
  await bind('keyward-operator', SECOND.username, IMPOSTOR.username);
});

const create = (name: string, spec: unknown = {}, as?: Caller): Promise<Answer> =>
  send({
    method: 'POST',
    path: keys,
    body: apiKey(name, spec),
    ...(as === undefined ? {} : { as }),
  });

describe('status', () => {
  it.each([
    { why: 'the operator', as: OPERATOR },
    { why: 'a second operator of the same namespace', as: SECOND },
    { why: 'a cluster administrator', refused: 'only the Keyward operator writes status' },
    {
      why: 'an account of the same name in another namespace',
      as: IMPOSTOR,
      refused: 'only the Keyward operator writes status',
    },
  ])('is written by $why: $refused', async ({ why, as, refused }) => {
    const name = `status-${why.length}`;
    const { object } = await create(name);
    const body = { ...object, status: { observedGeneration: 1 } };
    const answer = await send({
      method: 'PUT',
      path: `${keys}/${name}/status`,
      body,
      ...(as === undefined ? {} : { as }),
    });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });
});

describe('the operator and what people wrote', () => {
  const patchAs = async (who: Caller, body: object): Promise<string> =>
    outcome(await send({ method: 'PATCH', path: `${keys}/spec`, body, as: who }));
  const patch = (body: object): Promise<string> => patchAs(OPERATOR, body);

  it('may not change a spec', async () => {
    await create('spec');
    expect(await patch({ spec: { state: 'Suspended' } })).toContain('may not change a spec');
  });

  it.each([
    { what: 'labels', metadata: { labels: { team: 'mine' } } },
    { what: 'annotations', metadata: { annotations: { 'example.com/x': 'y' } } },
    {
      what: 'owners, by which the garbage collector would delete it',
      metadata: {
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: 'gone' }],
      },
    },
  ])('may not change $what', async ({ metadata }) => {
    expect(await patch({ metadata })).toContain('may not change labels, annotations or owners');
  });

  it('may change its own finalizer, and neither add nor remove others', async () => {
    const theirs = 'example.com/x';
    const put = (...finalizers: string[]) => ({ metadata: { finalizers } });
    expect(await patch(put(FINALIZER, theirs))).toContain('finalizers of others');
    expect(await patchAs(EDITOR, put(FINALIZER, theirs))).toBe(accepted);
    expect(await patch(put(FINALIZER))).toContain('finalizers of others');
    expect(await patch(put(theirs))).toBe(accepted);
    expect(await patch(put(theirs, FINALIZER))).toBe(accepted);
  });
});

describe('the operator and Secrets', () => {
  const ours = { 'keyward.dev/api-key': 'a' };
  const secret = (
    name: string,
    rest: object,
    labels: object = {},
    annotations: object = {},
  ): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels, annotations },
    type: 'Opaque',
    ...rest,
  });

  it.each([
    { why: 'Opaque with our label', body: secret('x', {}, ours) },
    {
      why: 'the binding type with our label',
      body: secret('x', { type: 'servicebinding.io/api-key' }, ours),
    },
    { why: 'no label', body: secret('x', {}), refused: 'only write Secrets with the label' },
    {
      why: 'another type',
      body: secret(
        'x',
        { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } },
        ours,
      ),
      refused: 'only write Secrets of type',
    },
    {
      why: 'a token by which nodes join',
      body: secret('x', { type: 'bootstrap.kubernetes.io/token' }, ours),
      refused: 'only write Secrets of type',
    },
    {
      why: 'a release that Helm would believe',
      body: secret('x', { type: 'helm.sh/release.v1' }, ours),
      refused: 'only write Secrets of type',
    },
    {
      why: 'our label without a name',
      body: secret('x', {}, { 'keyward.dev/api-key': '' }),
      refused: 'only write Secrets with the label',
    },
    {
      why: 'a token of another account',
      body: secret('x', { type: 'kubernetes.io/service-account-token' }, ours, {
        'kubernetes.io/service-account.name': 'default',
      }),
      refused: 'only write Secrets of type',
    },
  ])('may create $why: $refused', async ({ body, refused }) => {
    const path = `${secrets}?dryRun=All`;
    expect(outcome(await send({ method: 'POST', path, body, as: OPERATOR }))).toEqual(
      expectedOutcome(refused),
    );
  });

  it.each([
    { why: 'ours', body: secret('was-ours', {}, ours) },
    {
      why: 'ours that lost its label',
      body: secret('lost-label', {}, {}, { 'keyward.dev/mac': 'x' }),
    },
    { why: 'foreign', body: secret('foreign', {}), refused: 'a Secret that it did not write' },
    {
      why: 'foreign of a foreign type',
      body: secret('typed', { type: 'example.com/x' }, ours),
      refused: 'a Secret of another type',
    },
  ])('may take over and delete what is $why: $refused', async ({ body, refused }) => {
    const created = await send({ method: 'POST', path: secrets, body });
    const { name } = created.object['metadata'] as unknown as { name: string };
    const path = `${secrets}/${name}`;
    const labelled = { ...created.object, metadata: { name, labels: ours } };
    const put = await send({
      method: 'PUT',
      path: `${path}?dryRun=All`,
      body: labelled,
      as: OPERATOR,
    });
    expect([put.code < 300, outcome(put) === accepted]).toEqual(
      refused === undefined ? [true, true] : [false, false],
    );
    const deleted = await send({ method: 'DELETE', path, as: OPERATOR });
    expect(outcome(deleted)).toEqual(expectedOutcome(refused));
  });

  it('cannot take a foreign Secret over in steps, nor delete many at once', async () => {
    const created = await send({ method: 'POST', path: secrets, body: secret('theirs', {}) });
    const path = `${secrets}/theirs`;
    const metadata = { labels: ours };
    const patched = await send({ method: 'PATCH', path, body: { metadata }, as: OPERATOR });
    expect(patched.code).toBe(403);
    const marked = {
      ...created.object,
      metadata: { name: 'theirs', annotations: { 'keyward.dev/mac': 'x' } },
    };
    const put = await send({ method: 'PUT', path, body: marked, as: OPERATOR });
    expect(outcome(put)).toContain('only write Secrets with the label');
    expect((await send({ method: 'DELETE', path: secrets, as: OPERATOR })).code).toBe(403);
    expect((await send({ method: 'GET', path })).code).toBe(200);
  });

  it('leaves everybody else alone', async () => {
    const path = `${secrets}?dryRun=All`;
    expect(outcome(await send({ method: 'POST', path, body: secret('x', {}), as: EDITOR }))).toBe(
      accepted,
    );
  });
});

describe('restartTargets', () => {
  const target = (name: string, kind = 'Deployment') => ({ kind, name });
  const naming = (...restartTargets: readonly object[]) => ({ rotation: { restartTargets } });
  const refused = 'restartTargets needs the right to patch';

  it.each(['Deployment', 'StatefulSet', 'DaemonSet'])(
    'name a %s only by whoever may patch it',
    async (kind) => {
      const name = `restarts-${kind.toLowerCase()}`;
      const spec = naming(target('shop', kind));
      expect(outcome(await create(`${name}-1`, spec, KEYS_ONLY))).toContain(refused);
      expect(outcome(await create(name, spec, EDITOR))).toBe(accepted);
    },
  );

  it('may be as many as the list holds, and what others named goes on', async () => {
    const kinds = ['Deployment', 'StatefulSet', 'DaemonSet'];
    const all = Array.from({ length: 16 }, (_, at) => target(`shop-${at}`, kinds[at % 3]));
    expect(outcome(await create('restarts', naming(...all), EDITOR))).toBe(accepted);
    const patch = async (spec: object): Promise<string> =>
      outcome(
        await send({ method: 'PATCH', path: `${keys}/restarts`, body: { spec }, as: KEYS_ONLY }),
      );
    expect(await patch({ rotation: { maxAgeDays: 30 } })).toBe(accepted);
    expect(await patch(naming(...all.slice(1)))).toBe(accepted);
    expect(await patch(naming(...all))).toContain(refused);
    expect(await patch(naming())).toBe(accepted);
  });
});

describe('spec.secret', () => {
  it.each([
    { why: 'whoever may create Secrets', as: EDITOR, spec: { secret: { name: 'x' } } },
    { why: 'whoever may not, leaving it out', as: KEYS_ONLY, spec: {} },
    {
      why: 'whoever may not create Secrets',
      as: KEYS_ONLY,
      spec: { secret: {} },
      refused: 'writing spec.secret needs the right to create Secrets',
    },
  ])('is written by $why: $refused', async ({ as, spec, refused }) => {
    const path = `${keys}?dryRun=All`;
    const answer = await send({ method: 'POST', path, body: apiKey('writer', spec), as });
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });

  it('cannot be changed or removed without that right, everything else can', async () => {
    await create('guarded', { secret: { name: 'x' } });
    const patch = async (spec: object): Promise<string> =>
      outcome(
        await send({ method: 'PATCH', path: `${keys}/guarded`, body: { spec }, as: KEYS_ONLY }),
      );
    expect(await patch({ secret: { onLoss: 'Wait' } })).toContain('writing spec.secret needs');
    expect(await patch({ secret: null })).toContain('writing spec.secret needs');
    expect(await patch({ description: 'mine' })).toBe(accepted);
  });
});

describe('the finalizer', () => {
  const finalizersOf = (answer: Answer): unknown =>
    (answer.object['metadata'] as unknown as { finalizers?: unknown }).finalizers;
  const strip = (name: string, as: Caller): Promise<Answer> =>
    send({
      method: 'PATCH',
      path: `${keys}/${name}`,
      body: { metadata: { finalizers: null } },
      as,
    });

  it('is there from the first moment, beside those of others', async () => {
    expect(finalizersOf(await create('stamped'))).toEqual([FINALIZER]);
    const body = {
      ...apiKey('both', {}),
      metadata: { name: 'both', finalizers: ['example.com/x'] },
    };
    const both = await send({ method: 'POST', path: keys, body });
    expect(finalizersOf(both)).toEqual(expect.arrayContaining(['example.com/x', FINALIZER]));
  });

  it('comes back when it is removed before deletion has begun', async () => {
    await create('kept');
    expect(finalizersOf(await strip('kept', EDITOR))).toEqual([FINALIZER]);
  });

  it('is removed during deletion by the operator or with verb release, by nobody else', async () => {
    await create('going');
    await send({ method: 'DELETE', path: `${keys}/going` });
    expect(outcome(await strip('going', EDITOR))).toContain('ClusterRole keyward-release');
    expect(outcome(await strip('going', RELEASER))).toBe(accepted);
    await create('ended');
    await send({ method: 'DELETE', path: `${keys}/ended` });
    expect(outcome(await strip('ended', OPERATOR))).toBe(accepted);
    expect((await send({ method: 'GET', path: `${keys}/ended` })).code).toBe(404);
  });
});

it('every policy knows the operator by the same expression and fails closed', () => {
  const root = join(import.meta.dirname, '../../deploy/admission');
  const texts = [root, join(root, 'mutating')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  // Who is compared with the stamps of forms and reviews is whoever sends them, the operator too.
  const about = texts.filter((text) => text.includes('system:serviceaccount:'));
  expect(about.length).toBeGreaterThan(6);
  const expressions = about.map((text) => /userInfo\.username\.matches\('[^']+'\)/.exec(text)?.[0]);
  expect(new Set(expressions).size).toBe(1);
  expect(expressions[0]).toBeDefined();
  for (const text of texts) expect(text).toContain('failurePolicy: Fail');
});
