import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { API_KEYS, SECRETS } from '../../../src/api/names.ts';
import { type Logger, silentLogger } from '../../../src/kernel/log.ts';
import type { WatchScope } from '../../../src/kube/port.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { FakeClock, settle } from '../../support/clock.ts';
import { type Reply, ScriptedServer, type Seen, until } from './scriptedserver.ts';

let clock: FakeClock;
let server: ScriptedServer;
let transport: Transport;
let reflector: Reflector<string>;

beforeEach(async () => {
  clock = new FakeClock();
  server = await ScriptedServer.start((_seen, reply) => reply.json(500, {}));
  transport = new Transport({ access: server.access(), clock, version: '1' });
});

afterEach(async () => {
  await reflector.stop();
  transport.close();
  await server.stop();
});

/** Pauses of 0 ms, unless a test is about pauses: then time is moved by hand. */
function follow(
  script: (seen: Seen, reply: Reply, index: number) => void,
  more: { scope?: Partial<WatchScope>; pauseMs?: number; said?: unknown[] } = {},
): void {
  const { said, pauseMs = 0 } = more;
  server.script = (seen, reply) => script(seen, reply, server.seen.length - 1);
  reflector = new Reflector({
    transport,
    clock,
    log: said === undefined ? silentLogger : warningsTo(said),
    random: () => 0.5,
    scope: { resource: API_KEYS, ...more.scope },
    transform: ({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`,
    backoff: { baseMs: pauseMs, maxMs: pauseMs },
  });
  reflector.start();
}

/** Keeps the fields of warnings. */
function warningsTo(said: unknown[]): Logger {
  const warn: Logger['warn'] = (_message, fields) => void said.push(fields);
  const log: Logger = { ...silentLogger, warn, with: () => log };
  return log;
}

function object(name: string, version: number): object {
  return {
    metadata: { name, namespace: 'n', uid: `u-${name}`, resourceVersion: String(version) },
  };
}

const added = (name: string, version: number): object => ({
  type: 'ADDED',
  object: object(name, version),
});
const bookmark = (version: number): object => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: String(version) } },
});
const initialEnd = (version: number): object => ({
  type: 'BOOKMARK',
  object: {
    metadata: {
      resourceVersion: String(version),
      annotations: { 'k8s.io/initial-events-end': 'true' },
    },
  },
});
const failed = (code: number): object => ({ type: 'ERROR', object: { kind: 'Status', code } });
const page = (names: readonly string[], version: number, next = ''): object => ({
  metadata: { resourceVersion: String(version), continue: next },
  items: names.map((name, index) => object(name, index + 1)),
});

function isInitial(seen: Seen): boolean {
  return seen.path.includes('sendInitialEvents=true');
}

function versionOf(seen: Seen): string | null {
  return new URL(seen.path, 'http://x').searchParams.get('resourceVersion');
}

/** Answers each watch from a list of frame groups; a group is a stream, `end` closes it. */
function stream(reply: Reply, frames: readonly object[], end: 'Keep' | 'End' = 'Keep'): void {
  reply.openStream();
  if (frames.length > 0) reply.frames(...frames);
  if (end === 'End') reply.endStream();
}

describe('reading everything', () => {
  test('one stream brings what there is and goes on with what changes', async () => {
    let live: Reply | undefined;
    follow((_seen, reply) => {
      live = reply;
      stream(reply, [added('a', 1), added('b', 2)]);
    });
    await until(() => reflector.cache.size === 2);
    expect(reflector.cache.synced).toBe(false);
    live?.frames(initialEnd(5));
    await reflector.cache.whenSynced();
    live?.frames({ type: 'DELETED', object: object('a', 6) }, added('c', 7));
    await until(() => reflector.cache.get({ namespace: 'n', name: 'c' }) !== undefined);
    expect(reflector.cache.size).toBe(2);
    const query = server.seen[0]?.path ?? '';
    expect(query).toContain('resourceVersionMatch=NotOlderThan');
    expect(query).toContain('allowWatchBookmarks=true');
    expect(query).toContain('timeoutSeconds=450');
    expect(query).not.toContain('resourceVersion=');
    await reflector.stop();
    expect(transport.connections).toBe(0);
  });

  test('Secrets are asked for as metadata only, by label and namespace', async () => {
    follow((_seen, reply) => stream(reply, [initialEnd(1)]), {
      scope: { resource: SECRETS, namespace: 'n', labelSelector: 'a=b', metadataOnly: true },
    });
    await reflector.cache.whenSynced();
    expect(server.seen[0]?.path).toMatch(
      /^\/api\/v1\/namespaces\/n\/secrets\?.*labelSelector=a%3Db/,
    );
    expect(server.seen[0]?.head).toContain('as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
  });

  test('a server that refuses watch-list by status is read in pages, for good', async () => {
    follow((seen, reply) => {
      if (isInitial(seen)) reply.json(422, { kind: 'Status', code: 422, reason: 'Invalid' });
      else if (seen.path.includes('watch=true')) stream(reply, []);
      else if (seen.path.includes('continue=more')) reply.json(200, page(['c'], 9));
      else reply.json(200, page(['a', 'b'], 9, 'more'));
    });
    await reflector.cache.whenSynced();
    await server.requests(4);
    expect(reflector.cache.size).toBe(3);
    expect(server.seen[1]?.path).toContain('limit=500');
    expect(versionOf(server.seen[3] as Seen)).toBe('9');
    reflector.relist();
    await until(() => reflector.cache.completeLists === 2);
    expect(server.seen.filter(isInitial)).toHaveLength(1);
  });

  test('pages that are too long are asked for with half as many objects until they can be read', async () => {
    const long = { ...page(['a'], 9), padding: 'x'.repeat(65 * 1_048_576) };
    const limits: (string | null)[] = [];
    const said: unknown[] = [];
    follow(
      (seen, reply) => {
        if (isInitial(seen))
          return reply.json(422, { kind: 'Status', code: 422, reason: 'Invalid' });
        if (seen.path.includes('watch=true')) return stream(reply, []);
        const limit = new URL(seen.path, 'http://x').searchParams.get('limit');
        limits.push(limit);
        if (Number(limit) > 125) reply.json(200, long);
        else if (seen.path.includes('continue=more')) reply.json(200, page(['c'], 9));
        else reply.json(200, page(['a', 'b'], 9, 'more'));
      },
      { said },
    );
    await reflector.cache.whenSynced();
    expect([reflector.cache.size, limits]).toEqual([3, ['500', '250', '125', '125']]);
    expect(said).toEqual(
      [500, 250].map((limit) => ({
        message: expect.stringMatching(/list.*ApiKey.*too long/),
        limit,
      })),
    );
  });

  test('an empty page of metadata, whose items are null, is a complete list', async () => {
    follow((seen, reply) => {
      if (isInitial(seen)) reply.json(422, { kind: 'Status', code: 422, reason: 'Invalid' });
      else if (seen.path.includes('watch=true')) stream(reply, []);
      else reply.json(200, { ...page([], 9), items: null });
    });
    await reflector.cache.whenSynced();
    expect(reflector.cache.size).toBe(0);
  });

  test('a stream is tried again when the pages that were read in its place failed', async () => {
    follow((seen, reply, index) => {
      if (index === 0) stream(reply, [failed(500)], 'End');
      else if (isInitial(seen)) stream(reply, [added('a', 1), initialEnd(5)]);
      else reply.json(500, {});
    });
    await reflector.cache.whenSynced();
    expect(reflector.cache.size).toBe(1);
  });

  test('a server that refuses watch-list inside the stream is read in pages', async () => {
    follow((seen, reply) => {
      if (isInitial(seen)) stream(reply, [failed(500)], 'End');
      else if (seen.path.includes('watch=true')) stream(reply, []);
      else reply.json(200, page(['a'], 9));
    });
    await reflector.cache.whenSynced();
    expect(reflector.cache.size).toBe(1);
  });

  test('something in between that lets no watch-list through is read in pages', async () => {
    follow((seen, reply) => {
      if (isInitial(seen)) reply.json(400, { error: 'unknown parameter' });
      else if (seen.path.includes('watch=true')) stream(reply, []);
      else reply.json(200, page(['a'], 9));
    });
    await reflector.cache.whenSynced();
    expect(reflector.cache.size).toBe(1);
  });

  test('pages that break off in the middle delete nothing and count as no list', async () => {
    let isBroken = false;
    follow((seen, reply) => {
      if (isInitial(seen)) reply.json(400, { kind: 'Status', code: 400, reason: 'BadRequest' });
      else if (seen.path.includes('watch=true')) stream(reply, []);
      else if (seen.path.includes('continue=')) {
        if (isBroken) reply.json(410, { kind: 'Status', code: 410, reason: 'Expired' });
        else reply.json(200, page(['c'], 9));
      } else reply.json(200, page(['a', 'b'], 9, 'more'));
    });
    await reflector.cache.whenSynced();
    isBroken = true;
    const before = server.seen.length;
    reflector.relist();
    await server.requests(before + 6);
    expect([reflector.cache.size, reflector.cache.completeLists]).toEqual([3, 1]);
  });

  test('a reading from before what is known is not believed', async () => {
    follow((_seen, reply, index) => {
      if (index === 0) stream(reply, [added('a', 50), initialEnd(60)]);
      else if (index === 1) stream(reply, [initialEnd(40)]);
      else stream(reply, [added('a', 50), initialEnd(61)]);
    });
    await reflector.cache.whenSynced();
    let vanished = 0;
    reflector.cache.onChange((change) => (vanished += change.current === undefined ? 1 : 0));
    reflector.relist();
    await until(() => reflector.cache.completeLists === 2);
    expect([vanished, reflector.cache.size]).toEqual([0, 1]);
  });
});

describe('whatever ends a stream, another is opened', () => {
  test.each<[string, (reply: Reply) => void]>([
    ['the server ends it', (reply) => reply.endStream()],
    ['the connection is reset', (reply) => reply.socket.resetAndDestroy()],
    ['a line is garbage', (reply) => reply.raw('3\r\nno\n\r\n')],
    ['an error frame', (reply) => reply.frames(failed(500))],
    ['an object without metadata', (reply) => reply.frames({ type: 'ADDED', object: {} })],
  ])('%s: the next goes on where it was', async (_why, breakIt) => {
    follow((_seen, reply, index) => {
      if (index > 0) {
        stream(reply, [added('c', 9)]);
        return;
      }
      stream(reply, [added('a', 1), initialEnd(5), added('b', 7), bookmark(8)]);
      void reflector.cache.whenSynced().then(() => breakIt(reply));
    });
    await until(() => reflector.cache.size === 3);
    expect(versionOf(server.seen[1] as Seen)).toBe('8');
    expect(reflector.cache.completeLists).toBe(1);
  });

  test('a silent stream is given up after three minutes', async () => {
    follow((_seen, reply, index) => stream(reply, index === 0 ? [initialEnd(5)] : []));
    await reflector.cache.whenSynced();
    clock.advance(179_000);
    await settle();
    expect(server.seen).toHaveLength(1);
    clock.advance(1_500);
    await server.requests(2);
    expect(versionOf(server.seen[1] as Seen)).toBe('5');
  });

  test('410 keeps the store, reads again and reports what vanished', async () => {
    follow((_seen, reply, index) => {
      if (index === 0) stream(reply, [added('a', 1), added('b', 2), initialEnd(5), failed(410)]);
      else stream(reply, [added('b', 2), initialEnd(9)]);
    });
    const vanished: string[] = [];
    reflector.cache.onChange(({ ref, current }) => {
      if (current === undefined) vanished.push(ref.name);
    });
    await until(() => reflector.cache.completeLists === 2);
    expect(vanished).toEqual(['a']);
    expect(isInitial(server.seen[1] as Seen)).toBe(true);
  });

  test('streams that end again and again without a word lead to reading everything', async () => {
    follow((_seen, reply, index) => {
      if (index === 0) stream(reply, [initialEnd(5)], 'End');
      else if (index < 8 && !isInitial(server.seen[index] as Seen)) stream(reply, [], 'End');
      else stream(reply, [initialEnd(9)]);
    });
    await until(() => reflector.cache.completeLists === 2);
    expect(server.seen.length).toBeLessThanOrEqual(8);
  });
});

describe('trouble', () => {
  test.each([403, 404, 500, 503])('%d is tried again until it passes', async (code) => {
    follow((seen, reply, index) => {
      if (index < 3) reply.json(code, { kind: 'Status', code });
      else if (seen.path.includes('watch=true')) stream(reply, [added('a', 1), initialEnd(2)]);
      else reply.json(200, page(['a'], 2));
    });
    await reflector.cache.whenSynced();
    expect(reflector.cache.size).toBe(1);
  });

  test('an account without the right is told apart from one that waits', async () => {
    let isAllowed = false;
    follow((_seen, reply) => {
      if (isAllowed) stream(reply, [initialEnd(2)]);
      else reply.json(403, { kind: 'Status', code: 403, reason: 'Forbidden' });
    });
    await until(() => reflector.cache.refused);
    isAllowed = true;
    await reflector.cache.whenSynced();
    expect(reflector.cache.refused).toBe(false);
  });

  test('Retry-After is waited for', async () => {
    follow(
      (_seen, reply, index) => {
        if (index > 0) stream(reply, [initialEnd(2)]);
        else reply.json(429, { kind: 'Status', code: 429 }, 'Retry-After: 5\r\n');
      },
      { pauseMs: 10 },
    );
    await server.requests(1);
    await until(() => clock.nextTimerInMs === 5_000 || clock.pendingTimers > 1);
    await clock.advanceSettled(4_900);
    expect(server.seen).toHaveLength(1);
    await clock.advanceSettled(200);
    await reflector.cache.whenSynced();
  });

  test('stopping during a pause ends at once and opens nothing more', async () => {
    follow((_seen, reply) => reply.json(500, {}), { pauseMs: 60_000 });
    await server.requests(1);
    await until(() => clock.pendingTimers > 1);
    await reflector.stop();
    transport.close();
    await clock.advanceSettled(120_000);
    expect(server.seen).toHaveLength(1);
  });
});
