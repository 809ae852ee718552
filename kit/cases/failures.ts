/** Refusals, limits and broken answers, as the failures that the protocol counts on. */
import assert from 'node:assert/strict';
import type { FailureKind } from '../../src/stores/contract.ts';
import { listenForStrays } from '../strays.ts';
import type { Fault } from '../fake.ts';
import {
  callIt,
  canRegenerate,
  create,
  failureOf,
  GOING_ON,
  methodsOf,
  ours,
  readIt,
  settling,
  shown,
  slotsOf,
  until,
  wanted,
  type Method,
} from '../probes.ts';
import type { Site } from '../subject.ts';
import { isMarked, type Case } from './case.ts';

const STATUSES: readonly { readonly status: number; readonly kind: FailureKind }[] = [
  { status: 401, kind: 'Denied' },
  { status: 403, kind: 'Denied' },
  { status: 429, kind: 'Throttled' },
  { status: 500, kind: 'Unavailable' },
  { status: 502, kind: 'Unavailable' },
  { status: 503, kind: 'Unavailable' },
  { status: 504, kind: 'Unavailable' },
];

const BODY_BYTES = 50 * 1_048_576;
/** What an answer may hold at most, whatever the driver asks for. */
const ANSWER_LENGTH_MAX = 17 * 1_048_576;

/** Answers that are complete but no good. */
const BROKEN: readonly Fault[] = [
  { kind: 'Torn' },
  { kind: 'NotJson' },
  { kind: 'NotJson', body: '' },
  { kind: 'NotJson', body: '{"half": ' },
  { kind: 'DeepJson', depth: 100_000 },
  { kind: 'GzipBomb', bytes: BODY_BYTES },
];

/** JSON, but not of the vendor's shape. */
const SHAPELESS: readonly string[] = [
  '[]',
  'null',
  '7',
  '"text"',
  '{}',
  '[null]',
  '{"a":{"b":[]}}',
];

/** Everything that is no success. */
export const failureCases: readonly Case[] = [
  ...STATUSES.map(({ status, kind }): Case => ({
    title: `a ${status} answer of a proxy is the failure ${kind} of every call, and no proof`,
    run: (site) =>
      forEachMethod(site, async (method, id) => {
        const body = '<html>some proxy</html>';
        site.fake.inject({ operation: '*', fault: { kind: 'Status', status, body } });
        const failure = await failureOf(callIt(site, method, { id }), kind);
        // The page may come from something on the way, whatever became of the call.
        if (method === 'create') assert.equal(failure.executed, 'Unknown');
      }),
  })),
  {
    title: 'wrong credentials are Denied, for sure without effect',
    async run(site) {
      const { fake, connect } = site;
      const [account] = fake.accounts;
      const wrong = Object.entries(account?.credentials ?? {}).map(
        ([entry, value]) =>
          [entry, `${value.slice(0, -1)}${value.endsWith('x') ? 'y' : 'x'}`] as const,
      );
      const store = connect(Object.fromEntries(wrong));
      await failureOf(store.login(GOING_ON), 'Denied');
      const failure = await failureOf(store.create(wanted(site), GOING_ON), 'Denied');
      assert.equal(failure.executed, 'No');
      assert.deepEqual(fake.credentials(), []);
    },
  },
  {
    title: 'Retry-After in seconds or as a date is passed on; nonsense in it does no harm',
    async run(site) {
      for (const { header, waitMs } of retryAfters(site.clock.nowMs())) {
        const headers = { 'retry-after': header };
        site.fake.inject({ operation: '*', fault: { kind: 'Status', status: 429, headers } });
        // oxlint-disable-next-line no-await-in-loop
        const { retryAfterMs } = await failureOf(site.store.list(GOING_ON), 'Throttled');
        const [least, most] = waitMs;
        const isBounded = retryAfterMs === undefined ? least === 0 : retryAfterMs >= least;
        assert.ok(isBounded && (retryAfterMs ?? 0) <= most, `${header}: ${retryAfterMs} ms`);
      }
    },
  },
  ...BROKEN.map((fault): Case => ({
    title: `an answer like ${JSON.stringify(fault)} is Garbled, and the call may have happened`,
    run: (site) =>
      forEachMethod(site, async (method, id) => {
        site.fake.inject({ operation: '*', fault });
        const call = callIt(site, method, { id });
        // Some vendors confirm a deletion with a status and an empty body.
        const isBodyOnly = fault.kind === 'NotJson' || fault.kind === 'DeepJson';
        if (method === 'delete' && isBodyOnly) return void (await call.catch(() => 0));
        const failure = await failureOf(call, 'Garbled');
        if (method === 'create') assert.equal(failure.executed, 'Unknown');
      }),
  })),
  {
    title: 'JSON of another shape is Garbled wherever a credential is expected',
    async run(site) {
      const { id } = await create(site);
      const expecting = methodsOf(site).filter(
        (method) => !['login', 'find', 'list', 'delete'].includes(method),
      );
      for (const method of expecting) {
        for (const body of SHAPELESS) {
          site.fake.inject({ operation: '*', fault: { kind: 'Status', status: 200, body } });
          // oxlint-disable-next-line no-await-in-loop
          await failureOf(callIt(site, method, { id }), 'Garbled');
        }
      }
    },
  },
  {
    title: 'JSON of another shape in place of a list is never an exception of another kind',
    async run(site) {
      for (const body of SHAPELESS) {
        site.fake.inject({ operation: '*', fault: { kind: 'Status', status: 200, body } });
        // oxlint-disable-next-line no-await-in-loop
        const listed = await site.store
          .list(GOING_ON)
          .catch(async (err: unknown) => void (await failureOf(Promise.reject(err), 'Garbled')));
        assert.ok(listed === undefined || listed.length === 0);
        site.fake.clear();
      }
    },
  },
  {
    title: 'a body of 50 MB is Garbled and never in memory as a whole',
    run: (site) =>
      forEachMethod(site, async (method, id) => {
        site.fake.inject({ operation: '*', fault: { kind: 'Huge', bytes: BODY_BYTES } });
        await failureOf(callIt(site, method, { id }), 'Garbled');
        assert.ok(site.answers.every(({ length }) => length < ANSWER_LENGTH_MAX));
      }),
  },
  {
    title: 'a redirect is not followed, and no credential goes where it leads',
    async run(site) {
      const strays = await listenForStrays();
      try {
        await forEachMethod(site, async (method, id) => {
          const before = site.fake.credentials();
          const location = `${strays.address}/elsewhere`;
          site.fake.inject({ operation: '*', fault: { kind: 'Redirect', location } });
          await failureOf(callIt(site, method, { id }));
          assert.deepEqual(site.fake.credentials(), before);
        });
        assert.equal(strays.count(), 0);
      } finally {
        await strays.stop();
      }
    },
  },
  {
    title: 'a cancelled call settles, and one that is cancelled before reaches nobody',
    run: (site) =>
      forEachMethod(site, async (method, id) => {
        const cancel = new AbortController();
        site.fake.inject({ operation: '*', fault: { kind: 'Hang', ms: 600_000 } });
        const reached = site.fake.calls.length;
        const call = failureOf(callIt(site, method, { id, signal: cancel.signal }));
        // It may fail while it is waited for; then the next line says so.
        call.catch(() => undefined);
        await until(() => site.fake.calls.length > reached, 'the call reaches the fake');
        cancel.abort();
        await settling(call);
        const then = site.fake.calls.length;
        await settling(failureOf(callIt(site, method, { id, signal: cancel.signal })));
        assert.equal(site.fake.calls.length, then);
      }),
  },
  {
    title: 'a clock that differs by an hour is ClockSkew where the vendor minds',
    async run(site) {
      site.fake.clockOffsetMs = 3_600_000;
      const call = site.store.login(GOING_ON);
      const failure = await call.then(
        () => undefined,
        async (err: unknown) => await failureOf(Promise.reject(err)),
      );
      assert.ok(failure === undefined || failure.kind === 'ClockSkew');
      site.fake.clockOffsetMs = 0;
      await site.store.login(GOING_ON);
    },
  },
  {
    title: 'with the credentials of another account our key is not read, changed or deleted',
    async run(site) {
      const { fake, connect } = site;
      const { id } = await create(site);
      const before = fake.credentials();
      const other = connect(fake.accounts[1]?.credentials ?? {});
      const wish = { enabled: true, name: 'n', description: 'd' };
      const slot = slotsOf(site)[0] ?? 'apiKey';
      const calls = [
        () => other.read(id, GOING_ON),
        () => other.update(id, wish, GOING_ON),
        ...(canRegenerate(site) ? [() => other.regenerate(id, slot, GOING_ON)] : []),
      ];
      for (const call of calls) {
        // oxlint-disable-next-line no-await-in-loop
        assert.equal(await notFoundOrFailure(call()), undefined);
      }
      assert.notEqual(await other.delete(id, GOING_ON).catch(() => undefined), 'Deleted');
      assert.deepEqual(await other.list(GOING_ON), []);
      if (isMarked(site.handle.capabilities)) {
        const mark = (await readIt(site, id)).mark;
        if (mark !== undefined) assert.deepEqual(await other.find(mark, GOING_ON), []);
      }
      assert.deepEqual(fake.credentials(), before);
    },
  },
  {
    title: 'an answer about another credential than was asked for is never taken for it',
    async run(site) {
      const { fake, answers } = site;
      const [one, two] = [await create(site), await create(site)];
      const theirs = shown(await readIt(site, one.id));
      const body = answers.at(-1) ?? '';
      fake.inject({ operation: '*', fault: { kind: 'Status', status: 200, body } });
      const read = await notFoundOrFailure(site.store.read(two.id, GOING_ON));
      if (read === undefined) return;
      // Answers that hold many, such as a list, may show both.
      assert.equal(read.id, two.id);
      assert.notDeepEqual(shown(read), theirs);
    },
  },
];

/** What the header says, and between which bounds the pause must lie; 0: there may be none. */
function retryAfters(
  nowMs: number,
): readonly { readonly header: string; readonly waitMs: readonly [number, number] }[] {
  const dayMs = 86_400_000;
  const date = new Date(nowMs + 60_000).toUTCString();
  return [
    { header: '7', waitMs: [7_000, 7_000] },
    { header: date, waitMs: [40_000, 61_000] },
    ...['soon', '-5', '1e99', ''].map((header) => ({ header, waitMs: [0, dayMs] as const })),
  ];
}

async function forEachMethod(
  site: Site,
  run: (method: Method, id: string) => Promise<void>,
): Promise<void> {
  for (const method of methodsOf(site)) {
    // One after the other: a fault must meet the call that it is meant for.
    // oxlint-disable-next-line no-await-in-loop
    const { id } = await create(site);
    // oxlint-disable-next-line no-await-in-loop
    await named(method, () => run(method, id));
    site.fake.clear();
    for (const credential of ours(site.fake)) site.fake.act({ act: 'Delete', id: credential.id });
  }
}

/** Says in a failed assertion which call it was about. */
async function named(method: Method, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (err) {
    if (err instanceof assert.AssertionError) err.message = `${method}: ${err.message}`;
    throw err;
  }
}

async function notFoundOrFailure<T>(call: Promise<T | undefined>): Promise<T | undefined> {
  return await call.catch(async (err: unknown) => {
    await failureOf(Promise.reject(err));
    return undefined;
  });
}
