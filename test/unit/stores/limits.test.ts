import { describe, expect, test } from 'vitest';
import { StoreFailure, type VendorHttp, type VendorRequest } from '../../../src/stores/contract.ts';
import { AccountLines } from '../../../src/stores/limits.ts';
import { FakeClock, settle } from '../../support/clock.ts';

const REQUEST: VendorRequest = { method: 'GET', path: '/', headers: {} };
const FOREVER = new AbortController().signal;

/** A vendor that answers only when a test says so. */
function slowVendor() {
  const open: (() => void)[] = [];
  const http: VendorHttp = {
    async send({ path }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      open.push(resolve);
      await promise;
      return { status: 200, headers: {}, body: path };
    },
  };
  return { http, open };
}

function send(http: VendorHttp, count: number, signal = FOREVER): Promise<unknown>[] {
  return Array.from({ length: count }, (_, index) =>
    http.send({ ...REQUEST, path: `/${index}` }, signal).catch((error: unknown) => error),
  );
}

describe('the line of an account', () => {
  test('lets four requests through at a time, in the order in which they came', async () => {
    const clock = new FakeClock();
    const { http, open } = slowVendor();
    const limited = new AccountLines(clock).limit(http, () => 'a');
    const sent = send(limited, 6);
    await clock.advanceSettled(10_000);
    expect(open).toHaveLength(4);
    open[2]?.();
    await clock.advanceSettled(10_000);
    expect(open).toHaveLength(5);
    open[4]?.();
    expect(await sent[4]).toMatchObject({ body: '/4' });
  });

  test('lets ten requests a second through', async () => {
    const clock = new FakeClock();
    const times: number[] = [];
    const http: VendorHttp = {
      async send() {
        times.push(clock.monotonicMs());
        return { status: 200, headers: {}, body: '' };
      },
    };
    const lines = new AccountLines(clock, { inFlightMax: 4, perSecond: 10, waitingMax: 100 });
    const sent = send(
      lines.limit(http, () => 'a'),
      34,
    );
    await clock.advanceSettled(5_000);
    await Promise.all(sent);
    expect(times.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(times.at(-1)).toBe(3_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is short: who finds it full comes back later, certain that nothing happened', async () => {
    const { http } = slowVendor();
    const lines = new AccountLines(new FakeClock());
    const sent = send(
      lines.limit(http, () => 'a'),
      13,
    );
    const refused = await sent[12];
    expect(refused).toBeInstanceOf(StoreFailure);
    expect(refused).toMatchObject({ kind: 'Throttled', executed: 'No', retryAfterMs: 1_200 });
    expect(lines.busy('a')).toBe(12);
  });

  test('gives everybody whom it sends away a time of his own, and counts it as no failure', async () => {
    const clock = new FakeClock();
    const { http } = slowVendor();
    const limited = new AccountLines(clock).limit(http, () => 'a');
    const sent = send(limited, 15).slice(12);
    expect(await Promise.all(sent)).toMatchObject([
      { class: 'Waiting', retryAfterMs: 1_200 },
      { class: 'Waiting', retryAfterMs: 1_500 },
      { class: 'Waiting', retryAfterMs: 1_800 },
    ]);
    await clock.advanceSettled(60_000);
    const [later] = send(limited, 1);
    expect(await later).toMatchObject({ retryAfterMs: 1_200 });
  });

  test('serves 200 keys of four requests each in little more than the time that their requests take', async () => {
    const clock = new FakeClock();
    const http: VendorHttp = { send: async () => ({ status: 200, headers: {}, body: '' }) };
    const limited = new AccountLines(clock).limit(http, () => 'a');
    let done = 0;
    const visit = async (requests: number): Promise<void> => {
      try {
        for (let made = 0; made < requests; made += 1) {
          // oxlint-disable-next-line no-await-in-loop -- a key asks for one thing after the other
          await limited.send(REQUEST, FOREVER);
        }
        done += 1;
      } catch (error) {
        const pauseMs = error instanceof StoreFailure ? error.retryAfterMs : undefined;
        clock.after(pauseMs ?? 0, () => void visit(requests));
      }
    };
    for (let key = 0; key < 200; key += 1) void visit(4);
    for (let passedMs = 0; passedMs < 90_000; passedMs += 100) {
      // oxlint-disable-next-line no-await-in-loop -- time passes in small steps
      await clock.advanceSettled(100);
    }
    expect(done).toBe(200);
  });

  test('lets a revocation go before creations that were there first, and does not send it away when they fill the line', async () => {
    const clock = new FakeClock();
    const { http, open } = slowVendor();
    const lines = new AccountLines(clock);
    const creations = send(
      lines.limit(http, () => 'a'),
      12,
    );
    const [sentAway] = send(
      lines.limit(http, () => 'a'),
      1,
    );
    expect(await sentAway).toMatchObject({ class: 'Waiting' });
    const [revocation] = send(
      lines.limit(http, () => 'a', 'First'),
      1,
    );
    await clock.advanceSettled(10_000);
    open[0]?.();
    await clock.advanceSettled(10_000);
    open[4]?.();
    expect(await Promise.race([revocation, creations[4]])).toBe(await revocation);
    expect(await revocation).toMatchObject({ status: 200 });
  });

  test('sends revocations away, too, when too many of them wait, each to a time of its own', async () => {
    const lines = new AccountLines(new FakeClock());
    const { http } = slowVendor();
    void send(
      lines.limit(http, () => 'a'),
      12,
    );
    const revocations = send(
      lines.limit(http, () => 'a', 'First'),
      10,
    );
    expect(await Promise.all(revocations.slice(8))).toMatchObject([
      { class: 'Waiting', retryAfterMs: 1_200 },
      { class: 'Waiting', retryAfterMs: 1_500 },
    ]);
  });

  test('of a slow store holds up no other', async () => {
    const lines = new AccountLines(new FakeClock());
    const slow = slowVendor();
    void send(
      lines.limit(slow.http, () => 'slow'),
      12,
    );
    const other = slowVendor();
    const [sent] = send(
      lines.limit(other.http, () => 'other'),
      1,
    );
    await settle();
    other.open[0]?.();
    expect(await sent).toMatchObject({ status: 200 });
  });

  test('is left by whoever gives up, and the next moves on', async () => {
    const clock = new FakeClock();
    const { http, open } = slowVendor();
    const limited = new AccountLines(clock).limit(http, () => 'a');
    void send(limited, 4);
    const control = new AbortController();
    const [gone] = send(limited, 1, control.signal);
    const [next] = send(limited, 1);
    await clock.advanceSettled(1_000);
    control.abort();
    expect(await gone).toMatchObject({ kind: 'Unavailable', executed: 'No' });
    open[0]?.();
    await clock.advanceSettled(1_000);
    open[4]?.();
    expect(await next).toMatchObject({ body: '/0' });
    const [never] = send(limited, 1, control.signal);
    expect(await never).toMatchObject({ executed: 'No' });
  });

  test('a request that fails gives its place back', async () => {
    const clock = new FakeClock();
    const http: VendorHttp = { send: () => Promise.reject(new Error('broken')) };
    const limited = new AccountLines(clock).limit(http, () => 'a');
    const sent = send(limited, 12);
    await clock.advanceSettled(2_000);
    expect(await Promise.all(sent)).toHaveLength(12);
  });

  test('one at a time runs where two could not be told apart', async () => {
    const clock = new FakeClock();
    const lines = new AccountLines(clock);
    const running: string[] = [];
    const ends: (() => void)[] = [];
    const act = (name: string) => async () => {
      running.push(name);
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.push(resolve);
      await promise;
    };
    void lines.exclusively('a', act('first'), FOREVER);
    void lines.exclusively('a', act('second'), FOREVER);
    void lines.exclusively('b', act('other'), FOREVER);
    await clock.advanceSettled(10_000);
    expect(running).toEqual(['first', 'other']);
    ends[0]?.();
    await clock.advanceSettled(10_000);
    expect(running).toEqual(['first', 'other', 'second']);
  });
});
