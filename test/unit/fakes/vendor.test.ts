import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../support/clock.ts';
import { afterEach, describe, expect, test } from 'vitest';
import type { StrangerAct, VendorCredential } from '../../../kit/fake.ts';
import {
  FakeVendor,
  type FakeOptions,
  type FakeRequest,
  type Routed,
} from '../../../fakes/vendor.ts';

/** The smallest vendor: POST makes a thing, GET lists them. */
class Things extends FakeVendor<{ made: number[] }> {
  readonly accounts = [{ id: 'one', credentials: { token: 'top-secret' } }];

  constructor(options: FakeOptions = {}) {
    super(options, { made: [] });
  }

  protected route({ method }: FakeRequest): Routed {
    const isCreate = method === 'POST';
    return {
      operation: isCreate ? 'create' : 'list',
      run: () => {
        if (isCreate) this.state.made.push(this.nowMs());
        const listed = this.state.made.filter((createdMs) => this.isListed(createdMs));
        return { status: 200, body: { count: listed.length, all: this.state.made.length } };
      },
    };
  }

  protected perform({ act }: StrangerAct): string {
    if (act === 'Create') this.state.made.push(this.nowMs());
    else this.state.made.shift();
    return '0';
  }

  credentials(): readonly VendorCredential[] {
    return this.state.made.map((createdMs, index) => ({
      id: String(index),
      accountId: 'one',
      values: { apiKey: `value-${index}` },
      enabled: true,
      createdMs,
    }));
  }
}

let running: Things | undefined;
afterEach(async () => await running?.stop());

async function start(options: FakeOptions = {}): Promise<Things> {
  running = await new Things(options).start();
  return running;
}

async function call(method: 'GET' | 'POST', path = '/things', body?: unknown): Promise<Response> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return await fetch(`${running?.address}${path}`, { method, redirect: 'manual', ...init });
}

describe('a fake vendor', () => {
  test('keeps its state over a restart when it has a file for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fake-'));
    const stateFile = join(folder, 'state.json');
    const first = await start({ stateFile });
    await call('POST');
    await first.stop();
    const second = await start({ stateFile });
    expect(second.credentials()).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  test.each([
    [{ kind: 'Cut' }, 0],
    [{ kind: 'LostAnswer' }, 1],
    [{ kind: 'Torn' }, 1],
    [{ kind: 'Hang', ms: 1 }, 0],
  ] as const)('met by %j gives no complete answer and has made %i things', async (fault, made) => {
    const fake = await start();
    fake.inject({ operation: 'create', fault });
    await expect(call('POST').then((answer) => answer.text())).rejects.toThrow(/failed|terminated/);
    expect(fake.credentials()).toHaveLength(made);
    expect((await call('POST')).status).toBe(200);
  });

  test.each([
    [{ kind: 'Status', status: 429, headers: { 'retry-after': '7' } }, 429, 0],
    [{ kind: 'Status', status: 500, handled: true }, 500, 1],
    [{ kind: 'Twice' }, 200, 2],
    [{ kind: 'Redirect', location: 'http://127.0.0.1:1/' }, 307, 0],
    [{ kind: 'Huge', bytes: 1_000_000 }, 200, 1],
    [{ kind: 'GzipBomb', bytes: 1_000_000 }, 200, 1],
    [{ kind: 'DeepJson', depth: 1_000 }, 200, 1],
    [{ kind: 'EchoSecrets', status: 500 }, 500, 0],
  ] as const)('met by %j answers %i and has made %i things', async (fault, status, made) => {
    const fake = await start();
    fake.inject({ operation: '*', fault });
    const answer = await call('POST');
    await answer.arrayBuffer();
    expect(answer.status).toBe(status);
    expect(fake.credentials()).toHaveLength(made);
  });

  test('handles a late call after its connection is gone', async () => {
    const clock = new FakeClock();
    const fake = await start({ clock });
    fake.inject({ operation: 'create', fault: { kind: 'Late', ms: 60_000 } });
    await expect(call('POST')).rejects.toThrow('fetch failed');
    expect(fake.credentials()).toHaveLength(0);
    await clock.advanceSettled(60_000);
    expect(fake.credentials()).toHaveLength(1);
  });

  test('adds strange members to every object, also ones called like prototype parts', async () => {
    const fake = await start();
    fake.inject({ operation: 'list', fault: { kind: 'StrangeMembers' } });
    const answer: unknown = await (await call('GET')).json();
    expect(Object.keys(answer ?? {})).toEqual(expect.arrayContaining(['__proto__', 'constructor']));
  });

  test('counts calls of a rule from its injection on', async () => {
    const fake = await start();
    const fault = { kind: 'Status', status: 503 } as const;
    fake.inject({ operation: 'create', nth: 2, times: 2, fault });
    const statuses = [
      await call('POST'),
      await call('POST'),
      await call('POST'),
      await call('POST'),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([200, 503, 503, 200]);
  });

  test('hides young things from lists, and lets strangers act between pages', async () => {
    const fake = await start();
    fake.listLagMs = 60_000;
    await call('POST');
    expect(await (await call('GET')).json()).toEqual({ count: 0, all: 1 });
    fake.listLagMs = 0;
    fake.pageShift = ['Create'];
    expect(await (await call('GET')).json()).toEqual({ count: 1, all: 1 });
    expect(await (await call('GET')).json()).toEqual({ count: 2, all: 2 });
  });

  test('can be moved over HTTP', async () => {
    const fake = await start();
    await call('POST', '/__fake/faults', {
      operation: '*',
      fault: { kind: 'Status', status: 418 },
    });
    expect((await call('GET')).status).toBe(418);
    await fetch(`${fake.address}/__fake/state`, { method: 'PATCH', body: '{"listLagMs":5}' });
    expect(fake.listLagMs).toBe(5);
    await call('POST', '/__fake/acts', { act: 'Create' });
    expect(await (await call('GET', '/__fake/state')).json()).toMatchObject({
      credentials: [{ values: { apiKey: 'value-0' } }],
    });
    expect(await (await call('GET', '/__fake/calls')).json()).toMatchObject([
      { operation: 'list' },
    ]);
  });

  test.each([{}, { operation: 'create' }, { operation: '*', fault: { kind: 'LostAnswr' } }])(
    'refuses a rule that would meet nothing: %j',
    async (rule) => {
      await start();
      expect((await call('POST', '/__fake/faults', rule)).status).toBe(400);
      expect(await (await call('GET', '/__fake/faults')).json()).toEqual([]);
    },
  );

  test('holds a call after it was handled until it is released', async () => {
    const fake = await start();
    await call('POST', '/__fake/hold', { operation: 'create', point: 'After' });
    const held = call('POST');
    expect(await (await call('GET', '/__fake/hold/0')).json()).toEqual({ state: 'Held' });
    expect(fake.credentials()).toHaveLength(1);
    await call('POST', '/__fake/hold/0/release', { end: 'Cut' });
    await expect(held).rejects.toThrow('fetch failed');
  });
});
