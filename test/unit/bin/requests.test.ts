import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaveRequest, serveRequests, type Handler } from '../../../src/bin/requests.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { silentLogger } from '../../../src/kernel/log.ts';

const UID = '00000000-0000-4000-8000-000000000001';
const OTHER = '00000000-0000-4000-8000-000000000002';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'keyward-requests-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Serves one look: whoever is served last ends it. */
async function serve(folder: string, resolve: Handler, revoke: Handler = resolve): Promise<void> {
  const over = new AbortController();
  const last = { log: silentLogger, stop: over.signal };
  const ending =
    (act: Handler): Handler =>
    (uid, text) => {
      over.abort(new Error('served'));
      return act(uid, text);
    };
  const handlers = { resolve: ending(resolve), import: ending(resolve), revoke: ending(revoke) };
  await serveRequests(folder, handlers, last);
}

async function answerIn(folder: string, name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, `${name}.answer`), 'utf8'));
}

test('what cannot be read is told to whoever asked, and ends nobody', async () => {
  const folder = join(root, 'unreadable');
  // To root nothing is forbidden, so a folder stands for a file of another user.
  await mkdir(join(folder, `${OTHER}.import`), { recursive: true });
  await leaveRequest(folder, { uid: UID, verb: 'resolve', text: 'please' });
  await serve(folder, (_, text) => Promise.resolve(`${text}: done`));
  expect(await answerIn(folder, `${UID}.resolve`)).toEqual({ message: 'please: done' });
  expect(await readdir(folder)).not.toContain(`${UID}.resolve`);
});

test('a request that was taken back while another was served gets no answer, and ends nobody', async () => {
  const folder = join(root, 'gone');
  for (const uid of [UID, OTHER]) await leaveRequest(folder, { uid, verb: 'resolve', text: '' });
  // Whichever is served first, the other one is gone by then.
  await serve(folder, async (uid) => {
    await rm(join(folder, `${uid === UID ? OTHER : UID}.resolve`));
    return uid;
  });
  const left = await readdir(folder);
  expect(left).toHaveLength(1);
  expect(left[0]).toMatch(/\.answer$/);
});

test('a revocation that fails stays, unless it can never succeed', async () => {
  const folder = join(root, 'lasting');
  const fail = (type: 'Transient' | 'Terminal'): Handler => {
    const error = new KeywardError(type, { reason: 'Broken', message: 'broken' });
    return () => Promise.reject(error);
  };
  await leaveRequest(folder, { uid: UID, verb: 'revoke', text: 'somebody' });
  await serve(folder, fail('Transient'));
  expect(await readdir(folder)).toEqual([`${UID}.revoke`]);
  await serve(folder, fail('Terminal'));
  expect(await readdir(folder)).toEqual([]);
});

test('nothing but requests is looked at', async () => {
  const folder = join(root, 'others');
  await mkdir(folder);
  await writeFile(join(folder, 'notes.resolve'), 'mine');
  await leaveRequest(folder, { uid: UID, verb: 'resolve', text: '' });
  await serve(folder, (uid) => Promise.resolve(uid));
  expect(await readdir(folder)).toEqual(expect.arrayContaining(['notes.resolve']));
});
