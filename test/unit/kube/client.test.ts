import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { API_KEYS, SECRETS, SUBJECT_ACCESS_REVIEWS } from '../../../src/api/names.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { createClients } from '../../../src/kube/client.ts';
import type { KubeClient } from '../../../src/kube/port.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { FakeClock } from '../../support/clock.ts';
import { type Reply, ScriptedServer } from './scriptedserver.ts';

const META = { name: 'a', namespace: 'n', uid: 'u1', resourceVersion: '7' };
const REF = { namespace: 'n', name: 'a' };
const DRAFT = { apiVersion: 'v1', kind: 'Secret', metadata: META };

let clock: FakeClock;
let server: ScriptedServer;
let transport: Transport;
let client: KubeClient;
let token: string;

beforeEach(async () => {
  clock = new FakeClock();
  token = 'Bearer old';
  server = await ScriptedServer.start((_seen, reply) => reply.json(200, { metadata: META }));
  const access = server.access(
    () => token,
    () => (token = 'Bearer new'),
  );
  transport = new Transport({ access, clock, version: '1' });
  client = createClients({ transport, clock }).ordinary;
});

afterEach(async () => {
  transport.close();
  await server.stop();
});

function status(code: number, reason: string, more: object = {}): object {
  return { kind: 'Status', code, reason, message: `said ${reason}`, ...more };
}

async function errorOf(calling: Promise<unknown>): Promise<KeywardError> {
  const thrown: unknown = await calling.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof KeywardError) return thrown;
  throw new Error('expected a KeywardError');
}

describe('requests', () => {
  const written = { name: 'a', namespace: 'n', uid: '0a-1b', resourceVersion: '78', generation: 3 };
  const more = { creationTimestamp: '2026-01-01T00:00:00Z', annotations: { uid: 'x' } };
  test.each([
    ['as API servers write it', { ...written, ...more }],
    ['in another order', { ...more, ...written }],
    ['with a name that has to be escaped', { ...written, name: 'a"b', ...more }],
  ])('the answer to a write is understood %s', async (_, metadata) => {
    const head = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
    server.script = (_seen, reply) => reply.json(201, { ...head, metadata });
    const { name, uid, resourceVersion, generation } = metadata;
    expect(await client.create(SECRETS, DRAFT)).toEqual({ name, uid, resourceVersion, generation });
  });

  test('fields that only look like those of the answer are not taken for them', async () => {
    const managedFields = [{ uid: 'no', resourceVersion: '1' }];
    const { name, ...rest } = written;
    const metadata = { name, managedFields, ...rest };
    const head = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
    server.script = (_seen, reply) => reply.json(200, { ...head, metadata });
    expect(await client.replace(SECRETS, DRAFT)).toMatchObject({ uid: '0a-1b', generation: 3 });
  });

  test('a dry run says so, and its answer needs no version', async () => {
    const metadata = { name: 'a', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' };
    let asked = '';
    server.script = ({ path }, reply) => {
      asked = path;
      reply.json(201, { metadata });
    };
    const answer = await client.create(API_KEYS, DRAFT, { dryRun: true });
    expect(answer).toEqual({ name: 'a', uid: 'u1', resourceVersion: '' });
    expect(asked).toContain('dryRun=All');
    await expect(client.create(API_KEYS, DRAFT)).rejects.toThrow('no object');
    expect(asked).not.toContain('dryRun');
  });

  test('each verb has its method, path and media types', async () => {
    const { uid, resourceVersion } = META;
    await client.get(API_KEYS, REF);
    await client.create(SECRETS, DRAFT);
    await client.replace(SECRETS, DRAFT);
    await client.replaceStatus(API_KEYS, DRAFT);
    await client.patchMetadata(API_KEYS, REF, { uid, resourceVersion, labels: {} });
    await client.delete(SECRETS, { ...REF, uid });
    const keyPath = '/apis/keyward.dev/v1alpha1/namespaces/n/apikeys/a';
    expect(server.seen.map((seen) => `${seen.method} ${seen.path}`)).toEqual([
      `GET ${keyPath}`,
      'POST /api/v1/namespaces/n/secrets?fieldManager=keyward',
      'PUT /api/v1/namespaces/n/secrets/a?fieldManager=keyward',
      `PUT ${keyPath}/status?fieldManager=keyward`,
      `PATCH ${keyPath}?fieldManager=keyward`,
      'DELETE /api/v1/namespaces/n/secrets/a',
    ]);
    for (const seen of server.seen.slice(1))
      expect(seen.head).toContain('as=PartialObjectMetadata');
    expect(server.seen[4]?.head).toContain('Content-Type: application/merge-patch+json');
    expect(JSON.parse(server.seen[5]?.body ?? '')).toMatchObject({ preconditions: { uid } });
  });

  test('a question is sent beside all namespaces, and its answer comes back whole', async () => {
    const said = { spec: { user: 'bob' }, status: { allowed: true } };
    server.script = (_seen, reply) => reply.json(201, said);
    const answer = await client.ask(SUBJECT_ACCESS_REVIEWS, { spec: { user: 'bob' } });
    expect(answer).toEqual(said);
    const [seen] = server.seen;
    expect(seen?.path).toMatch(/^\/apis\/authorization\.k8s\.io\/v1\/subjectaccessreviews\b/);
    expect(seen?.head).not.toContain('PartialObjectMetadata');
  });

  test('a replace without a version is never sent', async () => {
    const draft = { ...DRAFT, metadata: { name: 'a', namespace: 'n' } };
    await expect(async () => client.replace(SECRETS, draft)).rejects.toThrow(TypeError);
    expect(server.seen).toHaveLength(0);
  });
});

describe('what a refusal means', () => {
  test.each([
    [400, 'BadRequest', 'Terminal', 'BadRequest'],
    [403, 'Forbidden', 'Terminal', 'Forbidden'],
    [409, 'AlreadyExists', 'Conflict', 'AlreadyExists'],
    [409, 'Conflict', 'Conflict', 'Conflict'],
    [410, 'Expired', 'Transient', 'Expired'],
    [422, 'Invalid', 'Terminal', 'Invalid'],
    [429, 'TooManyRequests', 'Transient', 'TooManyRequests'],
    [500, 'InternalError', 'Transient', 'OutcomeUnknown'],
    [503, 'ServiceUnavailable', 'Transient', 'ServiceUnavailable'],
    [504, 'Timeout', 'Transient', 'OutcomeUnknown'],
    [302, '', 'Transient', 'UnexpectedAnswer'],
  ])('%d %s is %s/%s', async (code, reason, errorClass, ours) => {
    server.script = (_seen, reply) => reply.json(code, status(code, reason));
    const error = await errorOf(client.create(API_KEYS, DRAFT));
    expect([error.class, error.reason]).toEqual([errorClass, ours]);
  });

  test('how long to wait is taken from the header, else from the Status', async () => {
    const details = { retryAfterSeconds: 3 };
    server.script = (_seen, reply) =>
      reply.json(429, status(429, 'TooManyRequests', { details }), 'Retry-After: 5\r\n');
    expect((await errorOf(client.create(SECRETS, DRAFT))).retryAfterMs).toBe(5_000);
    server.script = (_seen, reply) => reply.json(503, status(503, 'X', { details }));
    expect((await errorOf(client.create(SECRETS, DRAFT))).retryAfterMs).toBe(3_000);
  });

  test('nobody waits longer than a minute, however long a maintenance page asks for', async () => {
    server.script = (_seen, reply) => reply.json(503, {}, 'Retry-After: 7200\r\n');
    expect((await errorOf(client.create(SECRETS, DRAFT))).retryAfterMs).toBe(60_000);
    const details = { retryAfterSeconds: 2 ** 31 };
    server.script = (_seen, reply) => reply.json(503, status(503, 'X', { details }));
    expect((await errorOf(client.create(SECRETS, DRAFT))).retryAfterMs).toBe(60_000);
  });

  test.each([400, 403, 405, 413, 422])(
    '%d of something that is no API server passes, and nobody has to act',
    async (code) => {
      server.script = (_seen, reply) => reply.json(code, { error: 'no backend' });
      expect((await errorOf(client.create(API_KEYS, DRAFT))).class).toBe('Transient');
    },
  );

  test.each([400, 403, 405])(
    'a webhook that denies with %d and gives no reason is a refusal, and is quoted',
    async (code) => {
      const message = 'admission webhook "team.example" denied the request: no owner';
      server.script = (_seen, reply) => reply.json(code, { kind: 'Status', code, message });
      const error = await errorOf(client.create(API_KEYS, DRAFT));
      expect(error.class).toBe('Terminal');
      expect(error.message).toContain('no owner');
      expect((await errorOf(client.create(SECRETS, DRAFT))).message).not.toContain('no owner');
    },
  );

  test('a wrong UID in a patch is a conflict, though the server calls it invalid', async () => {
    const details = { causes: [{ reason: 'FieldValueInvalid', field: 'metadata.uid' }] };
    server.script = (_seen, reply) => reply.json(422, status(422, 'Invalid', { details }));
    const error = await errorOf(client.patchMetadata(SECRETS, REF, META));
    expect(error.class).toBe('Conflict');
  });

  test('a namespace that is going is not reported as missing rights', async () => {
    const details = { causes: [{ reason: 'NamespaceTerminating' }] };
    server.script = (_seen, reply) => reply.json(403, status(403, 'Forbidden', { details }));
    expect((await errorOf(client.create(SECRETS, DRAFT))).reason).toBe('NamespaceTerminating');
  });

  describe('a full quota of Secrets and a Secret that is too large are called so', () => {
    const refusal = async (code: number, message: string, details: object = {}) => {
      const body = { kind: 'Status', code, message, reason: 'Said', details };
      server.script = (_seen, reply) => reply.json(code, body);
      const error = await errorOf(client.create(SECRETS, DRAFT));
      expect(error.class).toBe('Terminal');
      expect(error.message).not.toContain('hunter2');
      return error;
    };

    test('whatever the server quotes', async () => {
      const said = 'secrets "a" is forbidden: exceeded quota: hunter2, used: count/secrets=1';
      const full = await refusal(403, said);
      expect(full.reason).toBe('QuotaExceeded');
      expect(full.message).toContain('raise the quota');
      const causes = [{ reason: 'FieldValueTooLong', field: 'data' }];
      const large = await refusal(422, 'data: hunter2', { causes });
      expect(large.reason).toBe('SecretTooLarge');
      expect(large.message).toContain('1 MiB');
      expect((await refusal(413, 'hunter2')).reason).toBe('SecretTooLarge');
    });

    test.each([400, 403, 422])('and any other %d names policies beside roles', async (code) => {
      const causes = [{ reason: 'FieldValueTooLong', field: 'metadata.labels' }];
      const error = await refusal(code, 'hunter2', { causes });
      expect(error.reason).toBe('Forbidden');
      expect(error.message).toMatch(/roles.*policies and webhooks/);
    });
  });

  test('server text about a Secret never reaches a message; about other kinds it does', async () => {
    server.script = (_seen, reply) => reply.json(422, status(422, 'Invalid'));
    expect((await errorOf(client.create(SECRETS, DRAFT))).message).not.toContain('said');
    expect((await errorOf(client.create(API_KEYS, DRAFT))).message).toContain('said Invalid');
    server.script = (_seen, reply) => reply.json(500, status(500, 'Insides'));
    expect((await errorOf(client.create(API_KEYS, DRAFT))).message).not.toContain('said');
  });
});

describe('absence', () => {
  const absent = status(404, 'NotFound', { details: { name: 'a', kind: 'secrets' } });

  test('an object that is not there is a value', async () => {
    server.script = (_seen, reply) => reply.json(404, absent);
    expect(await client.get(SECRETS, REF)).toBeUndefined();
    expect(await client.replace(SECRETS, DRAFT)).toBeUndefined();
    expect(await client.patchMetadata(SECRETS, REF, META)).toBeUndefined();
    expect(await client.delete(SECRETS, { ...REF, uid: 'u1' })).toBe(false);
  });

  test('a path that is not served (yet) is no proof of absence', async () => {
    const text = '404 page not found\n';
    server.script = (_seen, reply) =>
      reply.raw(`HTTP/1.1 404 X\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    expect(await errorOf(client.get(API_KEYS, REF))).toMatchObject({ class: 'Transient' });
    server.script = (_seen, reply) => reply.json(404, status(404, 'NotFound', { details: {} }));
    expect(await errorOf(client.get(API_KEYS, REF))).toMatchObject({ reason: 'NotFound' });
  });

  test('an object whose name another one has by now is gone', async () => {
    server.script = (seen, reply) =>
      seen.method === 'DELETE'
        ? reply.json(409, status(409, 'Conflict'))
        : reply.json(200, { metadata: { ...META, uid: 'u2' } });
    expect(await client.delete(SECRETS, { ...REF, uid: 'u1' })).toBe(false);
    server.script = (seen, reply) =>
      seen.method === 'DELETE'
        ? reply.json(409, status(409, 'Conflict'))
        : reply.json(200, { metadata: META });
    const error = await errorOf(client.delete(SECRETS, { ...REF, uid: 'u1' }));
    expect(error.class).toBe('Conflict');
  });
});

describe('answers that are none', () => {
  const html = '<html>proxy</html>';
  test.each<[string, (reply: Reply) => void]>([
    [
      'HTML with 200',
      (reply) =>
        reply.raw(
          `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${html.length}\r\n\r\n${html}`,
        ),
    ],
    ['nothing with 200', (reply) => reply.raw('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
    ['JSON that is no object', (reply) => reply.json(200, [])],
    [
      'half of the JSON',
      (reply) => void reply.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{'),
    ],
    ['a closed connection', (reply) => void reply.socket.destroy()],
  ])('after %s the outcome of a write is unknown', async (_why, script) => {
    server.script = (_seen, reply) => script(reply);
    const error = await errorOf(client.create(SECRETS, DRAFT));
    expect([error.class, error.reason]).toEqual(['Transient', 'OutcomeUnknown']);
    const read = await errorOf(client.get(SECRETS, REF));
    expect(read.class).toBe('Transient');
    expect(server.seen.filter((seen) => seen.method === 'POST')).toHaveLength(1);
  });

  test('a server that cannot be reached proves that nothing was written', async () => {
    await server.stop();
    const error = await errorOf(client.create(SECRETS, DRAFT));
    expect(error.reason).toBe('ServerUnreachable');
    // Whoever is called at night learns what to look for.
    expect(error.message).toContain('cannot be reached (ECONNREFUSED)');
  });
});

describe('credentials', () => {
  test('a 401 reads the credentials again and repeats the write once', async () => {
    server.script = (seen, reply) =>
      seen.head.includes('Bearer new')
        ? reply.json(201, { metadata: META })
        : reply.json(401, status(401, 'Unauthorized'));
    expect(await client.create(SECRETS, DRAFT)).toMatchObject({ uid: 'u1' });
    expect(server.seen).toHaveLength(2);
  });

  test('a second 401 is reported and not repeated', async () => {
    server.script = (_seen, reply) => reply.json(401, status(401, 'Unauthorized'));
    const error = await errorOf(client.create(SECRETS, DRAFT));
    expect([error.class, error.reason]).toEqual(['Transient', 'Unauthorized']);
    expect(server.seen).toHaveLength(2);
  });
});

describe('the server clock', () => {
  test('a difference within the resolution of the header counts as none', async () => {
    const date = (atMs: number): string => `Date: ${new Date(atMs).toUTCString()}\r\n`;
    server.script = (_seen, reply) => reply.json(200, { metadata: META }, date(clock.nowMs()));
    await client.get(SECRETS, REF);
    expect(client.clockSkewMs).toBe(0);
    server.script = (_seen, reply) =>
      reply.json(200, { metadata: META }, date(clock.nowMs() + 60_000));
    await client.get(SECRETS, REF);
    expect(client.clockSkewMs).toBeGreaterThan(58_000);
  });

  test('a step is seen before anybody answers, and is not believed', async () => {
    const now = `Date: ${new Date(clock.nowMs()).toUTCString()}\r\n`;
    server.script = (_seen, reply) => reply.json(200, { metadata: META }, now);
    await client.get(SECRETS, REF);
    expect(client.isClockTrusted).toBe(true);
    clock.step(3_600_000);
    expect(client.isClockTrusted).toBe(false);
  });

  test('an answer that was read long after it was sent says nothing about the time', async () => {
    server.script = (_seen, reply) => {
      const now = `Date: ${new Date(clock.nowMs()).toUTCString()}\r\n`;
      clock.freeze(3_600_000);
      reply.json(200, { metadata: META }, now);
    };
    await client.get(SECRETS, REF);
    expect([client.clockSkewMs, client.isClockTrusted]).toEqual([0, true]);
  });
});
