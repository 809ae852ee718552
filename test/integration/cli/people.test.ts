/**
 * The commands of people against a real API server, as processes with the kubeconfigs of people. No
 * operator runs: where a command needs a status, the test writes it as the operator's account would.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject, Resource } from '../../../src/api/meta.ts';
import {
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  API_KEYS,
  API_PRODUCTS,
} from '../../../src/api/names.ts';
import { objectPath } from '../../../src/kube/paths.ts';
import { applyObjects, freshNamespace, sharedControlPlane } from '../../support/controlplane.ts';
import { TestApi } from '../../support/operator.api.ts';
import { runKeyward } from '../../support/operator.ts';

const HASH = `sha256:${'0123456789abcdef'.repeat(4)}`;
const ESC = '\u001b';
/** Looks like a row of our own, after moving the cursor. */
const EVIL = `fine${ESC}[2J${ESC}[1A\nother   approve-me   Issue`;

let namespace: string;
/** Kubeconfigs: may file forms and edit keys; may review; may do nothing. */
let consumer: string;
let reviewer: string;
let stranger: string;
let admin: TestApi;
let operator: TestApi;

beforeAll(async () => {
  const plane = sharedControlPlane();
  namespace = await freshNamespace(plane, 'people');
  consumer = await plane.kubeconfigFor(namespace, 'consumer');
  reviewer = await plane.kubeconfigFor(namespace, 'reviewer');
  stranger = await plane.kubeconfigFor(namespace, 'stranger');
  await applyObjects(plane, [
    binding('consumer', 'keyward-view'),
    binding('consumer', 'keyward-edit'),
    binding('reviewer', 'keyward-reviewer'),
  ]);
  admin = await TestApi.open(plane.adminKubeconfig);
  operator = await TestApi.open(await plane.kubeconfigFor('keyward-system', 'keyward-operator'));
});

afterAll(() => {
  admin.close();
  operator.close();
});

function binding(account: string, role: string): object {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name: `${account}-${role}`, namespace },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  };
}

type Ended = Awaited<ReturnType<typeof runKeyward>>;

/** One command as the owner of a kubeconfig. */
function as(kubeconfig: string, ...args: readonly string[]): Promise<Ended> {
  return runKeyward([...args, '--kubeconfig', kubeconfig]);
}

const userOf = (account: string): string => `system:serviceaccount:${namespace}:${account}`;

async function read(resource: Resource, name: string): Promise<Loose> {
  const object = await admin.get(resource, namespace, name);
  if (object === undefined) throw new Error(`${resource.kind} ${name} is not there`);
  return object as Loose;
}

type Loose = KubeObject<{
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}>;

/** Writes a status as the operator's account. */
async function setStatus(resource: Resource, name: string, status: object): Promise<void> {
  const object = await read(resource, name);
  const path = `${objectPath(resource, { namespace, name })}/status`;
  const body = { ...object, status: { ...object.status, ...status } };
  const answer = await operator.request('PUT', path, body);
  if (answer.code !== 200) throw new Error(`status of ${name}: ${JSON.stringify(answer.body)}`);
}

function ready(status: string, reason: string, message = ''): object {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  return { type: 'Ready', status, reason, message, lastTransitionTime };
}

/** A form that waits since so many minutes. */
async function pending(name: string, minutes: number, more: object = {}): Promise<void> {
  await admin.create(API_KEY_APPLICATIONS, {
    metadata: { name, namespace },
    spec: { clientRef: { name: 'shop' }, purpose: 'Checkout', ...more },
  });
  await setStatus(API_KEY_APPLICATIONS, name, waiting(minutes));
}

function waiting(minutes: number): object {
  return {
    observedGeneration: 1,
    state: 'Pending',
    applicant: { username: 'jin@example.com', source: 'Authenticated' },
    conditions: [ready('False', 'PendingReview', 'waits for layer manager')],
    approvals: { layer: 'manager', required: 1, given: 0 },
    round: {
      number: 1,
      type: 'Issue',
      requestHash: HASH,
      submittedTime: new Date(Date.now() - minutes * 60_000).toISOString().replace(/\.\d+/, ''),
      deadlineTime: '2099-01-01T00:00:00Z',
      changes: [
        { field: 'terms.quota.requests', to: '1000' },
        { field: 'purpose', to: 'Checkout' },
      ],
    },
  };
}

describe('apply-for', () => {
  const flags = [
    '--client',
    'shop',
    '--purpose',
    'Checkout',
    '--quota',
    '1000/Day',
    '--for',
    '90d',
  ];

  test('files the form as whoever calls, and says by exit code when it exists already', async () => {
    const made = await as(consumer, 'apply-for', 'filed', ...flags, '--product', 'a,b');
    expect(made).toMatchObject({
      code: 0,
      stdout: 'apikeyapplication.keyward.dev/filed created\n',
      stderr: `next: keyward status filed -n ${namespace}\n`,
    });
    const { metadata, spec } = await read(API_KEY_APPLICATIONS, 'filed');
    expect(metadata.annotations?.['keyward.dev/applicant']).toBe(userOf('consumer'));
    expect(spec).toMatchObject({
      submission: 'Submitted',
      clientRef: { name: 'shop' },
      terms: {
        quota: { requests: 1000, period: 'Day' },
        validity: { durationDays: 90 },
        productRefs: [{ name: 'a' }, { name: 'b' }],
      },
    });
    const again = await as(consumer, 'apply-for', 'filed', ...flags);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('kubectl edit akapp') });
  });

  test('of a draft saves it, and of a dry run leaves nothing behind', async () => {
    expect(await as(consumer, 'apply-for', 'sketch', '--draft')).toMatchObject({ code: 0 });
    expect((await read(API_KEY_APPLICATIONS, 'sketch')).spec).toEqual({ submission: 'Draft' });
    const dry = await as(consumer, 'apply-for', 'dry', ...flags, '--dry-run=server');
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('(server dry run)') });
    expect(await admin.get(API_KEY_APPLICATIONS, namespace, 'dry')).toBeUndefined();
  });

  test('exports a file that another account can apply', async () => {
    const { stdout, code } = await as(consumer, 'apply-for', 'exported', ...flags, '--export');
    expect(code).toBe(0);
    expect(stdout).not.toContain('applicant');
    await sharedControlPlane().mustKubectl(['apply', '-f', '-'], { input: stdout });
    expect((await read(API_KEY_APPLICATIONS, 'exported')).spec).toMatchObject({
      purpose: 'Checkout',
    });
  });

  test('without the right ends with 4, with nonsense with 2, and both in one sentence', async () => {
    const denied = await as(stranger, 'apply-for', 'mine', ...flags);
    expect(denied).toMatchObject({ code: 4, stdout: '' });
    expect(denied.stderr.trim().split('\n')).toHaveLength(1);
    const wrong = await as(consumer, 'apply-for', 'mine', '--for', 'ever');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--for takes days') });
    expect(await as(consumer, 'apply-for')).toMatchObject({ code: 2 });
  });

  test('waits for the decision: 6 when it is denied, 5 when none comes', async () => {
    const late = await as(consumer, 'apply-for', 'late', ...flags, '--wait=1');
    expect(late).toMatchObject({ code: 5, stderr: expect.stringContaining('within 1 s') });
    const deciding = as(consumer, 'apply-for', 'refused', ...flags, '--wait=60');
    await until(() => admin.get(API_KEY_APPLICATIONS, namespace, 'refused'));
    await setStatus(API_KEY_APPLICATIONS, 'refused', {
      observedGeneration: 1,
      state: 'Denied',
      conditions: [ready('False', 'Denied', `not ${ESC}[32m ours`)],
    });
    const refused = await deciding;
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain('Denied: not \\x1b[32m ours');
  });
});

async function until(look: () => Promise<unknown>): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    if ((await look()) !== undefined) return;
  }
}

describe('inbox and review', () => {
  beforeAll(async () => {
    await pending('young', 5);
    await pending('old', 500, { purpose: EVIL, justification: EVIL });
    await pending('decided', 900);
    await setStatus(API_KEY_APPLICATIONS, 'decided', { state: 'Approved' });
  });

  test('the inbox has what waits, the oldest first, in the own namespace where all are not allowed', async () => {
    const { stdout, stderr, code } = await as(reviewer, 'inbox');
    expect(code).toBe(0);
    const names = stdout.split('\n').map((line) => line.split(/ {3,}/)[1]);
    expect(names.slice(0, 3)).toEqual(['APPLICATION', 'old', 'young']);
    expect(stdout).not.toContain('decided');
    expect(stderr).toContain(`this is namespace ${namespace}`);
    expect(stderr).toContain(`2 waiting. Next: keyward review old -n ${namespace}`);
    expect(await as(reviewer, 'inbox', '-A')).toMatchObject({ code: 4 });
    expect((await as(reviewer, 'inbox', '--limit', '1')).stderr).toContain(
      'the oldest 1 are shown',
    );
  });

  test('as a list for programs it has every form whole', async () => {
    const { stdout } = await as(reviewer, 'inbox', '-o', 'json', '-n', namespace);
    const { items } = JSON.parse(stdout) as {
      items: { kind: string; spec: { purpose: string } }[];
    };
    expect(items).toHaveLength(2);
    expect(items.map(({ spec }) => spec.purpose)).toContain(EVIL);
    expect(stdout).not.toContain(ESC);
  });

  test('a review shows everything, and no word of the applicant acts on the terminal or looks like ours', async () => {
    const { stdout, stderr, code } = await as(reviewer, 'review', 'old');
    expect(code).toBe(0);
    expect(stdout).toContain(`hash       ${HASH}`);
    expect(stdout).toContain('layer manager, 0 of 1 given');
    expect(stdout).toContain('applicant  jin@example.com (Authenticated)');
    expect(stdout).toContain('terms.quota.requests\n    | 1000');
    expect(stdout).not.toContain(ESC);
    expect(stdout).toContain('    | fine\\x1b[2J\\x1b[1A\n    | other   approve-me   Issue');
    expect(stderr).toContain(
      `keyward approve old -n ${namespace} --hash ${HASH.replace('sha256:', '')}`,
    );
    expect(await as(reviewer, 'review', 'nowhere')).toMatchObject({ code: 3, stdout: '' });
    expect(await as(stranger, 'review', 'old')).toMatchObject({ code: 4, stdout: '' });
  });

  test('colours come only when they are asked for, and then not from applicants', async () => {
    const { stdout } = await as(reviewer, 'review', 'old', '--color=always');
    expect(stdout).toContain(`${ESC}[33mPending${ESC}[0m`);
    expect(stdout).not.toContain(`${ESC}[2J`);
  });
});

describe('decisions', () => {
  beforeAll(() => Promise.all(['one', 'two', 'three', 'four'].map((name) => pending(name, 60))));

  const nameIn = (stdout: string): string =>
    /apikeyreview\.keyward\.dev\/(\S+) /.exec(stdout)?.[1] ?? '';

  test('an approval carries what was read, and who one is', async () => {
    const narrow = ['--narrow', 'quota=10', '--narrow', 'durationDays=7'];
    const made = await as(reviewer, 'approve', 'one', '--hash', HASH, ...narrow);
    expect(made.code).toBe(0);
    expect(made.stderr).toContain(HASH);
    const { spec } = await read(API_KEY_REVIEWS, nameIn(made.stdout));
    const { metadata } = await read(API_KEY_APPLICATIONS, 'one');
    expect(spec).toMatchObject({
      applicationRef: { name: 'one', uid: metadata.uid },
      decision: 'Approved',
      requestHash: HASH,
      layer: 'manager',
      narrowed: { quota: { requests: 10 }, durationDays: 7 },
      reviewer: {
        username: userOf('reviewer'),
        groups: expect.arrayContaining(['system:authenticated']),
      },
    });
  });

  test('what is not what was read any more is not decided', async () => {
    const other = await as(reviewer, 'approve', 'two', '--hash', 'fedcba9876543210'.repeat(4));
    expect(other).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('read it again'),
    });
    await admin.patch(API_KEY_APPLICATIONS, [namespace, 'two'], { spec: { purpose: 'Other' } });
    const edited = await as(reviewer, 'approve', 'two');
    expect(edited).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('edited a moment ago'),
    });
  });

  test('a refusal needs words, and several names are each tried', async () => {
    expect(await as(reviewer, 'deny', 'three')).toMatchObject({ code: 2, stdout: '' });
    const why = ['--reason', 'PurposeMismatch', '--message', 'not what the API is for'];
    const both = await as(reviewer, 'deny', 'nowhere', 'three', ...why);
    expect(both).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no application nowhere'),
    });
    const { spec } = await read(API_KEY_REVIEWS, nameIn(both.stdout));
    expect(spec).toMatchObject({ decision: 'Denied', reason: 'PurposeMismatch' });
    expect(await as(consumer, 'deny', 'three', ...why)).toMatchObject({ code: 4, stdout: '' });
  });

  test('the outcome is waited for, and a review that does not count for who made it ends with 4', async () => {
    const deciding = as(reviewer, 'return', 'four', '--message', 'which shop?', '--wait=60');
    const list = (): Promise<Loose | undefined> =>
      admin
        .list(API_KEY_REVIEWS, namespace)
        .then((all) =>
          (all as readonly Loose[]).find(({ spec }) => spec['decision'] === 'Returned'),
        );
    await until(list);
    const review = await list();
    const message = 'lacks verb approve';
    const accepted = { ...ready('False', 'ReviewerNotAuthorized', message), type: 'Accepted' };
    await setStatus(API_KEY_REVIEWS, review?.metadata.name ?? '', { conditions: [accepted] });
    expect(await deciding).toMatchObject({ code: 4, stderr: expect.stringContaining(message) });
  });

  test('a decision as a file names UID and hash, and whoever applies it is its reviewer', async () => {
    const { stdout, code } = await as(reviewer, 'approve', 'one', '--export');
    expect(code).toBe(0);
    expect(stdout).toContain(HASH);
    expect(stdout).not.toContain('reviewer');
    const plane = sharedControlPlane();
    const name = (await plane.mustKubectl(['create', '-o', 'name', '-f', '-'], { input: stdout }))
      .trim()
      .replace(/^.*\//, '');
    const { spec, metadata } = await read(API_KEY_REVIEWS, name);
    const { uid } = (await read(API_KEY_APPLICATIONS, 'one')).metadata;
    expect(metadata.name).toMatch(/^one-approved-/);
    expect(spec).toMatchObject({
      applicationRef: { uid },
      reviewer: { groups: ['system:masters', 'system:authenticated'] },
    });
  });

  test('nobody answers for a service account, which the file would be refused for', async () => {
    const file = await as(reviewer, 'approve', 'one', '--export', '--attested-by', 'argocd');
    expect(file).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no person'),
    });
  });

  test('a grant is withdrawn by its round, and only where there is one', async () => {
    const words = ['--message', 'misused'];
    expect(await as(reviewer, 'withdraw-grant', 'one', ...words)).toMatchObject({ code: 1 });
    await setStatus(API_KEY_APPLICATIONS, 'one', { grant: { state: 'InForce', round: 7 } });
    const { stdout } = await as(reviewer, 'withdraw-grant', 'one', ...words);
    expect((await read(API_KEY_REVIEWS, nameIn(stdout))).spec).toMatchObject({
      decision: 'Revoked',
      grantRound: 7,
      reason: 'Other',
    });
  });
});

describe('keys', () => {
  beforeAll(async () => {
    for (const [name, issuedTime] of [
      ['older', '2026-01-01T00:00:00Z'],
      ['newer', '2026-02-01T00:00:00Z'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      await admin.create(API_KEYS, { metadata: { name, namespace }, spec: {} });
      // oxlint-disable-next-line no-await-in-loop
      await setStatus(API_KEYS, name, {
        keyId: `id${name}`,
        clientName: 'shop',
        issuedTime,
        conditions: [ready('True', 'Active', 'The key is live.')],
      });
    }
  });

  test('R100 of a client are listed newest first with key, name, created, expiry, revoked and state', async () => {
    const { stdout, code } = await as(consumer, 'keys', '--client', 'shop');
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {3,}/))).toEqual([
      ['KEY', 'NAME', 'CREATED', 'EXPIRES', 'REVOKED', 'STATE'],
      ['idnewer', 'newer', '2026-02-01T00:00:00Z', '<never>', expect.anything()],
      ['idolder', 'older', '2026-01-01T00:00:00Z', '<never>', expect.anything()],
      [''],
    ]);
  });

  test('R101 of a client without any: 1298, which is no error', async () => {
    expect(await as(consumer, 'keys', '--client', 'nobody')).toEqual({
      code: 0,
      stdout: '1298 No information found\n',
      stderr: '',
    });
    const { stdout } = await as(consumer, 'keys', '--client', 'nobody', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ items: [] });
  });

  test('are suspended, resumed, rotated and revoked by edits of their owner', async () => {
    const specOf = async (): Promise<unknown> => (await read(API_KEYS, 'older')).spec['state'];
    expect(await as(consumer, 'suspend', 'older')).toMatchObject({ code: 0 });
    expect(await specOf()).toBe('Suspended');
    expect(await as(consumer, 'resume', 'key/older')).toMatchObject({ code: 0 });
    expect(await specOf()).toBe('Active');
    expect(await as(consumer, 'rotate', 'older', '--request-id', 'r1')).toMatchObject({ code: 0 });
    const { metadata } = await read(API_KEYS, 'older');
    expect(metadata.annotations?.['keyward.dev/rotate-request-id']).toBe('r1');
    expect(await as(consumer, 'revoke', 'older')).toMatchObject({
      code: 0,
      stdout: 'apikey.keyward.dev/older revoked\n',
    });
    expect(await specOf()).toBe('Revoked');
    expect(await as(consumer, 'suspend', 'nowhere')).toMatchObject({ code: 3 });
    expect(await as(reviewer, 'suspend', 'newer')).toMatchObject({ code: 4 });
  });

  test('are suspended by a reviewer without an edit', async () => {
    const words = ['--review', '--message', 'seen in a public repository', '--reason', 'Security'];
    const { stdout, code } = await as(reviewer, 'suspend', 'newer', ...words);
    expect(code).toBe(0);
    const name = /apikeyreview\.keyward\.dev\/(\S+) created/.exec(stdout)?.[1] ?? '';
    const key = await read(API_KEYS, 'newer');
    expect(key.spec['state']).toBe('Active');
    expect((await read(API_KEY_REVIEWS, name)).spec).toMatchObject({
      apiKeyRef: { name: 'newer', uid: key.metadata.uid },
      decision: 'Suspended',
      reason: 'Security',
      reviewer: { username: userOf('reviewer') },
    });
  });

  test('have a status that shows what belongs to them', async () => {
    const { stdout, code } = await as(consumer, 'status', 'newer');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ApiKey\/newer +True +Active +idnewer$/m);
    expect(stdout).toMatch(/^├─ Secret\/newer +not written$/m);
    expect(stdout).toContain('└─ ClusterKeyStore/default');
    expect(await as(consumer, 'status', 'nowhere')).toMatchObject({ code: 3, stdout: '' });
  });
});

describe('search', () => {
  beforeAll(async () => {
    const spec = { displayName: 'Weather of Seoul', description: '날씨 예보', state: 'Published' };
    await admin.create(API_PRODUCTS, { metadata: { name: `${namespace}-weather` }, spec });
    await admin.create(API_CLIENTS, {
      metadata: { name: 'shop', namespace },
      spec: { displayName: 'Online shop', alias: '쇼핑' },
    });
  });

  test('R98 finds clients by id, name or alias, in whatever case', async () => {
    for (const keyword of ['SHOP', '쇼핑', 'online']) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await as(consumer, 'clients', keyword)).stdout).toContain('Online shop');
    }
    expect((await as(consumer, 'clients', 'bank')).stdout).toBe('1298 No information found\n');
  });

  test('R115 finds products by keyword', async () => {
    const { stdout } = await as(sharedControlPlane().adminKubeconfig, 'products', 'seoul 예보');
    expect(stdout).toContain(`${namespace}-weather`);
  });
});

describe('without a cluster', () => {
  test('reasons are explained, and an unknown one ends with 3', async () => {
    const { stdout, code } = await runKeyward(['explain', 'PendingReview', '--output', 'table']);
    expect(code).toBe(0);
    expect(stdout).toContain('of ApiKeyApplication');
    expect(await runKeyward(['explain', 'Nonsense'])).toMatchObject({ code: 3, stdout: '' });
  });

  test('a kubeconfig that is not there, and a flag that is none, say what to do', async () => {
    const nowhere = await as('/nonexistent/kubeconfig', 'inbox');
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('KUBECONFIG') });
    expect(nowhere.stderr).not.toMatch(/^\s+at /m);
    expect(await runKeyward(['inbox', '--colour'])).toMatchObject({ code: 2 });
    expect(await runKeyward(['inbox', '-o', 'xml'])).toMatchObject({ code: 2 });
  });
});
