import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNoticeMetrics } from '../../../../src/controllers/notices/metrics.ts';
import { parseSecrets, signatureHeaders } from '../../../../src/controllers/notices/signature.ts';
import { NoticeWorker } from '../../../../src/controllers/notices/worker.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { createRegistry } from '../../../../src/kernel/metrics.ts';
import { DAY_MS } from '../../../../src/kernel/time.ts';
import type { AuditLine, AuditQuery } from '../../../../src/ledger/port.ts';
import { FakeClock } from '../../../support/clock.ts';
import { eventually } from '../../../support/eventually.ts';

type Got = { readonly headers: IncomingMessage['headers']; readonly body: string };

const SECRETS = parseSecrets(`whsec_${Buffer.alloc(32, 9).toString('base64')}`);

let got: Got[];
/** Status codes of the next answers; then 204. */
let answers: number[];
let lines: AuditLine[];
let saved: number | undefined;
/** After which line each page began that was asked for. */
let pages: number[];
let incarnation: string;
let stop: AbortController;
let clock: FakeClock;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 204, { location: 'http://127.0.0.1:1/' }).end();
  });
});

beforeEach(async () => {
  [got, answers, lines, saved] = [[], [], [], 0];
  [pages, incarnation] = [[], 'i'];
  stop = new AbortController();
  clock = new FakeClock();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});

afterEach(async () => {
  stop.abort();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

function worker() {
  const { port } = server.address() as AddressInfo;
  return new NoticeWorker({
    ledger: {
      auditLines: async ({ after = 0, limit }: AuditQuery) => {
        pages.push(after);
        return lines.filter(({ number }) => number > after).slice(0, limit);
      },
      identity: async () => ({
        databaseId: 'db',
        incarnation,
        commitCounter: lines.length,
        clusterId: 'c',
        epoch: 1,
        schemaVersion: 1,
      }),
    },
    position: {
      load: async () => saved,
      save: async (line) => void (saved = line),
    },
    receiver: { url: new URL(`http://127.0.0.1:${port}/hook`), secrets: async () => SECRETS },
    clock,
    metrics: createNoticeMetrics(createRegistry()),
    log: silentLogger,
  });
}

function happened(action: string): void {
  const number = lines.length + 1;
  const facts = { application: 'visit', namespace: 'shop', round: number };
  lines.push({ number, uid: 'u', action, actor: 'jin@example.com', atMs: clock.nowMs(), facts });
}

test('lines about keys are read once and not again in each round, and nothing that follows is missed', async () => {
  const at = worker();
  for (let key = 0; key < 450; key += 1) happened('KeyIssued');
  await at.round(stop.signal);
  expect([pages, saved]).toEqual([[0, 200, 400, 450], 0]);
  await at.round(stop.signal);
  expect(pages.slice(4)).toEqual([450]);
  happened('RoundOpened');
  await at.round(stop.signal);
  expect([got.length, saved, pages.slice(5)]).toEqual([1, 451, [450, 451]]);
});

test('what was read of a database says nothing about a copy that took its place', async () => {
  const at = worker();
  for (let key = 0; key < 9; key += 1) happened('KeyIssued');
  await at.round(stop.signal);
  [lines, incarnation] = [lines.slice(0, 7), 'restored'];
  for (const action of ['RoundOpened', 'KeyIssued']) happened(action);
  await at.round(stop.signal);
  expect([got.length, saved]).toEqual([1, 8]);
  // The next one lost commits; they are told of anew.
  [lines, saved] = [lines.slice(0, 5), 0];
  happened('RoundDenied');
  await at.round(stop.signal);
  expect([got.length, saved]).toEqual([2, 6]);
});

test('what happened is told in order, signed, with an id that names the line', async () => {
  for (const action of ['RoundOpened', 'KeyIssued', 'RoundDenied']) happened(action);
  await worker().round(stop.signal);
  expect(got.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
    'keyward.application.submitted',
    'keyward.application.decided',
  ]);
  expect(got.map(({ headers }) => headers['webhook-id'])).toEqual(['msg_db_1', 'msg_db_3']);
  const [first] = got;
  const signed = { id: 'msg_db_1', atMs: clock.nowMs(), body: first?.body ?? '' };
  expect(first?.headers).toMatchObject(signatureHeaders(SECRETS, signed));
  expect(saved).toBe(3);
});

test('what a killed worker had told is told again under the same id, and nothing before it', async () => {
  for (const action of ['RoundOpened', 'RoundApproved']) happened(action);
  saved = 1;
  await worker().round(stop.signal);
  expect(got.map(({ headers }) => headers['webhook-id'])).toEqual(['msg_db_2']);
});

test('a first start tells nothing of the past', async () => {
  happened('RoundOpened');
  saved = undefined;
  await worker().round(stop.signal);
  expect(got).toEqual([]);
  expect(saved).toBe(1);
});

test.each([[500], [503], [429], [404], [302]])(
  'a receiver that answers %i is asked again, and later notices wait for it',
  async (status) => {
    answers = [status, 204];
    for (const action of ['RoundOpened', 'RoundDenied']) happened(action);
    const round = worker().round(stop.signal);
    await eventually(async () => expect(clock.pendingTimers).toBe(1));
    await clock.advanceSettled(60_000);
    await round;
    expect(got.map(({ headers }) => headers['webhook-id'])).toEqual([
      'msg_db_1',
      'msg_db_1',
      'msg_db_2',
    ]);
  },
);

test('a notice that is refused five times is given up, and the next one is told', async () => {
  answers = [400, 400, 400, 400, 400];
  for (const action of ['RoundOpened', 'RoundDenied']) happened(action);
  let isOver = false;
  const round = worker()
    .round(stop.signal)
    .then(() => (isOver = true));
  await eventually(async () => {
    await clock.advanceSettled(60_000);
    expect(isOver).toBe(true);
  });
  await round;
  expect(got.map(({ headers }) => headers['webhook-id'])).toEqual([
    ...Array.from({ length: 5 }, () => 'msg_db_1'),
    'msg_db_2',
  ]);
});

test('news that nobody took for three days is given up', async () => {
  happened('RoundOpened');
  await clock.advanceSettled(4 * DAY_MS);
  answers = [503];
  await worker().round(stop.signal);
  expect(got).toHaveLength(1);
  expect(saved).toBe(1);
});
