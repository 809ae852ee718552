import { describe, expect, test } from 'vitest';
import { API_KEY_APPLICATIONS, API_KEYS } from '../../../src/api/names.ts';
import type { HttpResponse } from '../../../src/kube/connection.ts';
import { createPersonClient } from '../../../src/kube/person.ts';
import type { HttpRequest, Transport } from '../../../src/kube/transport.ts';

type Answer = { readonly status: number; readonly body: unknown; readonly retryAfter?: string };

/** Gives the answers in turn and keeps what was asked; waits take no time. */
function scripted(...answers: readonly Answer[]) {
  const sent: HttpRequest[] = [];
  let renewals = 0;
  const transport = {
    send(request: HttpRequest): Promise<HttpResponse> {
      const answer = answers[sent.length] ?? { status: 500, body: {} };
      sent.push(request);
      return Promise.resolve({
        head: {
          status: answer.status,
          keepAlive: true,
          contentType: 'application/json',
          retryAfter: answer.retryAfter,
          date: undefined,
        },
        body: Buffer.from(JSON.stringify(answer.body)),
      });
    },
    renewCredentials(): Promise<void> {
      renewals += 1;
      return Promise.resolve();
    },
  };
  const waitsMs: number[] = [];
  const clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    after(delayMs: number, act: () => void): () => void {
      waitsMs.push(delayMs);
      queueMicrotask(act);
      return () => undefined;
    },
  };
  const client = createPersonClient(transport as unknown as Transport, clock);
  return { client, sent, waitsMs, renewals: () => renewals };
}

const busy = (retryAfter?: string): Answer => ({
  status: 429,
  body: { kind: 'Status', code: 429 },
  ...(retryAfter === undefined ? {} : { retryAfter }),
});
const key = { metadata: { name: 'a' } };

describe('a busy server', () => {
  test('is asked again when it said, which may be done even with a write', async () => {
    const { client, sent, waitsMs } = scripted(busy('2'), busy(), { status: 201, body: key });
    const draft = { apiVersion: 'v', kind: 'ApiKey', metadata: { name: 'a', namespace: 'n' } };
    await expect(client.create(API_KEYS, draft, 'Carry out')).resolves.toMatchObject(key);
    expect(waitsMs).toEqual([2_000, 1_000]);
    expect(sent).toHaveLength(3);
  });

  test('is left alone after some tries, and never waited for longer than a person would', async () => {
    const { client, sent, waitsMs } = scripted(...Array.from({ length: 9 }, () => busy('3600')));
    await expect(client.get(API_KEYS, { namespace: 'n', name: 'a' })).rejects.toMatchObject({
      reason: 'TooManyRequests',
    });
    expect(sent).toHaveLength(5);
    expect(waitsMs).toEqual([5_000, 5_000, 5_000, 5_000]);
  });
});

describe('requests of people', () => {
  test('are sent again once with fresh credentials', async () => {
    const { client, renewals } = scripted({ status: 401, body: {} }, { status: 200, body: key });
    await client.get(API_KEYS, { namespace: 'n', name: 'a' });
    expect(renewals()).toBe(1);
  });

  test('for lists come in pages until the server has no more', async () => {
    const page = (name: string, next?: string): Answer => ({
      status: 200,
      body: {
        metadata: next === undefined ? {} : { continue: next },
        items: [{ metadata: { name } }],
      },
    });
    const { client, sent } = scripted(page('a', 'm/1'), page('b'));
    const names: string[] = [];
    const query = { namespace: 'n', fieldSelector: 'status.state=Pending' };
    for await (const items of client.list(API_KEY_APPLICATIONS, query)) {
      names.push(...items.map(({ metadata }) => metadata.name));
    }
    expect(names).toEqual(['a', 'b']);
    const [first, second] = sent.map(({ path }) => new URL(path, 'http://x').searchParams);
    expect(first?.get('fieldSelector')).toBe('status.state=Pending');
    expect(second?.get('continue')).toBe('m/1');
  });

  test("for the server's table take cells by the names of columns, and none where rows are null", async () => {
    const table = {
      columnDefinitions: [{ name: 'Ready' }, { name: 'From' }, { name: 'Name' }],
      rows: [{ cells: ['True', 'shop', 'a'] }],
    };
    const { client, sent } = scripted(
      { status: 200, body: table },
      { status: 200, body: { ...table, rows: null } },
    );
    const read = () => client.cells(API_KEY_APPLICATIONS, {}, ['Name', 'From', 'Gone']);
    expect(await read()).toEqual([['a', 'shop', undefined]]);
    expect(await read()).toEqual([]);
    expect(sent[0]?.accept).toContain('as=Table');
    expect(sent[0]?.path).toContain('includeObject=None');
  });

  test('that are only checked say so to the server', async () => {
    const { client, sent } = scripted({ status: 200, body: key });
    const change = { body: { spec: {} }, writing: 'Only check' } as const;
    await client.patch(API_KEYS, { namespace: 'n', name: 'a' }, change);
    expect(new URL(sent[0]?.path ?? '', 'http://x').searchParams.get('dryRun')).toBe('All');
  });

  test('tell who one is, without a UID where there is none', async () => {
    const userInfo = { username: 'jin', uid: '', groups: ['a'] };
    const { client } = scripted({ status: 201, body: { status: { userInfo } } });
    expect(await client.whoami()).toEqual({ username: 'jin', groups: ['a'] });
  });
});
