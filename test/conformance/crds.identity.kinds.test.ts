/** The rules of status, specs, Secrets and finalizers, for the kinds of applications. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCrd } from '../../tools/generate/schema.ts';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import {
  accepted,
  API,
  apiKey,
  expectedOutcome,
  OPERATOR,
  outcome,
  policiesInForce,
  senderTo,
  type Caller,
} from './crds.apiserver.ts';
import { ALICE, deskOf, form, review, type Desk } from './crds.identity.ts';

const access = sharedControlPlane();
const send = senderTo(access);
const FINALIZER = 'keyward.dev/revoke';
const CONSUMER: Caller = { username: 'consumer' };
const FORMS_ONLY: Caller = { username: 'forms-only' };
const RELEASER: Caller = { username: 'releaser' };
let namespace = '';
let keys: Desk;
let forms: Desk;
let reviews: Desk;

beforeAll(async () => {
  await access.mustKubectl(['apply', '--server-side', '-f', 'deploy/rbac']);
  namespace = await freshNamespace(access, 'identity');
  await policiesInForce(send, namespace);
  keys = deskOf(send, namespace, 'apikeys');
  forms = deskOf(send, namespace, 'apikeyapplications');
  reviews = deskOf(send, namespace, 'apikeyreviews');
  const bind = async (role: string, { username }: Caller): Promise<void> => {
    const what = ['create', 'rolebinding', `${role}-${username}`, '-n', namespace];
    await access.mustKubectl([...what, `--clusterrole=${role}`, `--user=${username}`]);
  };
  await bind('edit', CONSUMER);
  await bind('keyward-view', FORMS_ONLY);
  await bind('keyward-edit', FORMS_ONLY);
  await bind('keyward-release', RELEASER);
});

describe('status of the kinds of applications', () => {
  const named = { displayName: 'x' };
  it.each([
    { plural: 'apikeyapplications', body: form('status') },
    { plural: 'apikeyreviews', body: review('status') },
    { plural: 'apiclients', kind: 'ApiClient', spec: named },
    { plural: 'apiproducts', kind: 'ApiProduct', spec: named },
  ])('R8: of $plural is written by the operator alone', async ({ plural, kind, spec, body }) => {
    const isOfCluster = plural === 'apiproducts';
    const path = isOfCluster ? `${API}/${plural}` : `${API}/namespaces/${namespace}/${plural}`;
    const metadata = { name: isOfCluster ? namespace : 'status' };
    const apiVersion = 'keyward.dev/v1alpha1';
    const draft = body ?? { apiVersion, kind, metadata, spec };
    const { object } = await send({ method: 'POST', path, body: draft, as: ALICE });
    const put = (as: Caller): Promise<string> =>
      send({
        method: 'PUT',
        path: `${path}/${metadata.name}/status?dryRun=All`,
        body: { ...object, status: { observedGeneration: 1 } },
        as,
      }).then(outcome);
    expect(await put(ALICE)).toContain('only the Keyward operator writes status');
    expect(await put(OPERATOR)).toBe(accepted);
  });
});

describe('an ApiKey that the operator makes', () => {
  const owner = {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKeyApplication',
    name: 'asked',
    uid: '2f1f9d4e-0000-4000-8000-000000000000',
    controller: true,
  };
  const asked = { applicationRef: { name: 'asked' } };
  const keyOf = (name: string, spec: object, ...owners: readonly object[]): object => ({
    ...apiKey(name, spec),
    metadata: { name, ownerReferences: owners },
  });

  it.each([
    { why: 'for the form that is its controller', owners: [owner], spec: asked },
    { why: 'for no form', owners: [], spec: {}, refused: 'only for the ApiKeyApplication' },
    { why: 'without owner', owners: [], spec: asked, refused: 'only for the ApiKeyApplication' },
    {
      why: 'owned by another form than it names',
      owners: [{ ...owner, name: 'other' }],
      spec: asked,
      refused: 'only for the ApiKeyApplication',
    },
    {
      why: 'whose form is not its controller',
      owners: [{ ...owner, controller: false }],
      spec: asked,
      refused: 'only for the ApiKeyApplication',
    },
    {
      why: 'owned by something else',
      owners: [{ ...owner, kind: 'ConfigMap', apiVersion: 'v1' }],
      spec: asked,
      refused: 'only for the ApiKeyApplication',
    },
  ])('is created $why: $refused', async ({ owners, spec, refused }) => {
    const answer = await keys.try(keyOf('made', spec, ...owners), OPERATOR);
    expect(outcome(answer)).toEqual(expectedOutcome(refused));
  });

  it('keeps every field of its spec but the Secret', async () => {
    await keys.create(keyOf('kept', asked, owner), OPERATOR);
    await keys.create(apiKey('foreign', asked), ALICE);
    const edit = (name: string, spec: object): Promise<string> =>
      keys.patch(name, { spec }, OPERATOR).then(outcome);
    expect(await edit('kept', { secret: { name: 'x' } })).toBe(accepted);
    expect(await edit('kept', { secret: null })).toBe(accepted);
    expect(await edit('kept', { state: 'Suspended' })).toContain('may not change a spec');
    expect(await edit('kept', { rotation: { requestId: '1' } })).toContain('may not change a spec');
    expect(await edit('foreign', { secret: { name: 'x' } })).toContain('may not change a spec');
    const adopted = { metadata: { ownerReferences: [owner] }, spec: { secret: { name: 'x' } } };
    const answer = await keys.patch('foreign', adopted, OPERATOR);
    expect(outcome(answer)).toContain('may not change a spec');
  });

  it('is guarded by a policy that names every field of the spec but secret', () => {
    const root = join(import.meta.dirname, '../..');
    const crd = readCrd(join(root, 'crds/keyward.dev_apikeys.yaml'));
    const spec = crd.spec.versions[0].schema.openAPIV3Schema.properties?.['spec'];
    const policy = readFileSync(join(root, 'deploy/admission/operator-spec.yaml'), 'utf8');
    const compared = [...policy.matchAll(/object\.spec\.\?(\w+) == oldObject\.spec\.\?\1\b/g)];
    const fields = Object.keys(spec?.properties ?? {}).filter((field) => field !== 'secret');
    expect(new Set(compared.map(([, field]) => field))).toEqual(new Set(fields));
  });
});

describe('the operator', () => {
  it('creates no client, product or store', async () => {
    const everything = { username: OPERATOR.username, groups: ['system:masters'] };
    const metadata = { name: 'x' };
    const apiVersion = 'keyward.dev/v1alpha1';
    const body = { apiVersion, kind: 'ApiClient', metadata, spec: { displayName: 'x' } };
    const path = `${API}/namespaces/${namespace}/apiclients?dryRun=All`;
    const answer = await send({ method: 'POST', path, body, as: everything });
    expect(outcome(answer)).toContain('create anything but ApiKeys');
  });
});

describe('spec.secret of a form', () => {
  it.each([
    { why: 'whoever may create Secrets', as: CONSUMER, spec: { secret: { name: 'x' } } },
    { why: 'whoever may not, leaving it out', as: FORMS_ONLY, spec: {} },
    {
      why: 'whoever may not create Secrets',
      as: FORMS_ONLY,
      spec: { secret: {} },
      refused: 'writing spec.secret needs the right to create Secrets',
    },
  ])('is written by $why: $refused', async ({ as, spec, refused }) => {
    expect(outcome(await forms.try(form('writer', {}, spec), as))).toEqual(
      expectedOutcome(refused),
    );
  });

  it('cannot be changed without that right, everything else can', async () => {
    await forms.create(form('guarded', {}, { secret: { name: 'x' } }), CONSUMER);
    const edit = (spec: object): Promise<string> =>
      forms.patch('guarded', { spec }, FORMS_ONLY).then(outcome);
    expect(await edit({ secret: { name: 'y' } })).toContain('writing spec.secret needs');
    expect(await edit({ purpose: 'mine' })).toBe(accepted);
  });
});

describe('the finalizer of a form', () => {
  const strip = { metadata: { finalizers: null } };
  const finalizersOf = async (name: string): Promise<unknown> =>
    (await forms.get(name)).object['metadata'];

  it('is there from the first moment and comes back', async () => {
    await forms.create(form('kept'), CONSUMER);
    expect(await finalizersOf('kept')).toMatchObject({ finalizers: [FINALIZER] });
    await forms.patch('kept', strip, CONSUMER);
    expect(await finalizersOf('kept')).toMatchObject({ finalizers: [FINALIZER] });
  });

  it('is removed during deletion by the operator or with verb release, by nobody else', async () => {
    await forms.create(form('going'), CONSUMER);
    await send({ method: 'DELETE', path: `${forms.path}/going` });
    expect(outcome(await forms.patch('going', strip, CONSUMER))).toContain('keyward-release');
    expect(outcome(await forms.patch('going', strip, RELEASER))).toBe(accepted);
    await forms.create(form('ended'), CONSUMER);
    await send({ method: 'DELETE', path: `${forms.path}/ended` });
    expect(outcome(await forms.patch('ended', strip, OPERATOR))).toBe(accepted);
    expect((await forms.get('ended')).code).toBe(404);
  });

  it('is on nothing else that nobody would take off', async () => {
    const answer = await reviews.create(review('free'), ALICE);
    expect(answer.object['metadata']).not.toHaveProperty('finalizers');
  });
});
