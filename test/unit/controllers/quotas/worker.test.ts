import { beforeEach, describe, expect, test } from 'vitest';
import { MeteredKeys } from '../../../../src/controllers/quotas/metered.ts';
import { QuotaWorker } from '../../../../src/controllers/quotas/worker.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import { DAY_MS } from '../../../../src/kernel/time.ts';
import type { Count, CountRef } from '../../../../src/ledger/gate.ts';
import type { Commit, Ledger } from '../../../../src/ledger/port.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import type { ToldQuota } from '../../../../src/terms/quotasteps.ts';
import { FakeClock } from '../../../support/clock.ts';
import { aRecord, OPEN_TERMS } from '../../../support/world.ts';

/** Keys with quotas, and what gates have counted. */
class Stage {
  readonly clock = new FakeClock();
  readonly metered = new MeteredKeys();
  readonly counts = new Map<string, Count>();
  readonly asked: number[] = [];
  readonly told = new Map<string, ToldQuota>();
  woken: string[] = [];
  records: KeyRecord[] = [];
  readonly ledger = this.metered.watch({
    scan: async () => ({ records: this.records, next: undefined }),
    commit: async ({ record }: Commit) => ({ type: 'Committed', record }),
  } as unknown as Ledger);

  async commit(change: Partial<KeyRecord>): Promise<void> {
    await this.ledger.commit({ record: aRecord(change) } as Commit);
  }

  use(subject: string, reserved: number, unspent = 0, windowStartMs = 0): void {
    this.counts.set(subject, { subject, windowStartMs, reserved, unspent });
  }

  async look(): Promise<readonly string[]> {
    this.woken = [];
    await this.#worker.round();
    return this.woken;
  }

  readonly #worker = new QuotaWorker({
    keys: this.metered,
    reads: {
      counts: async (refs: readonly CountRef[]) => {
        this.asked.push(refs.length);
        return refs.flatMap(({ subject, windowStartMs }) => {
          const count = this.counts.get(subject);
          return count?.windowStartMs === windowStartMs ? [count] : [];
        });
      },
    },
    clock: this.clock,
    log: silentLogger,
    told: ({ name }) => this.told.get(name),
    wake: ({ name }) => void this.woken.push(name),
  });
}

const quota = (requests: number, period: 'Lifetime' | 'Day' = 'Lifetime') => ({
  terms: { ...OPEN_TERMS, quota: { requests, period, timeZone: 'Asia/Seoul' } },
});

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

describe('keys with a quota', () => {
  test('are looked at when a share of it is reached, and not for a call (R109)', async () => {
    await stage.commit({ uid: 'a', name: 'a', ...quota(100) });
    const steps: (readonly string[])[] = [];
    for (const used of [0, 10, 49, 50, 60, 79, 80, 90, 99, 100, 100]) {
      stage.use('key/a', used);
      // oxlint-disable-next-line no-await-in-loop
      steps.push(await stage.look());
      expect(stage.metered.uses('a', stage.clock.nowMs())).toBe(used);
    }
    expect(steps.map(({ length }) => length)).toEqual([0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0]);
  });

  test('count what gates have let in, not what they hold', async () => {
    await stage.commit({ uid: 'a', name: 'a', ...quota(100) });
    stage.use('key/a', 60, 30);
    expect(await stage.look()).toEqual([]);
    expect(stage.metered.uses('a', 0)).toBe(30);
  });

  test('are found by the scan after a start, and compared with what their status says', async () => {
    stage.records = ['same', 'behind', 'refilled'].map((name) =>
      aRecord({ uid: name, name, ...quota(10) }),
    );
    stage.told.set('same', { limit: 10, remaining: 2 });
    stage.told.set('behind', { limit: 10, remaining: 10 });
    stage.told.set('refilled', { limit: 10, remaining: 0 });
    stage.use('key/same', 8);
    stage.use('key/behind', 10);
    await stage.ledger.scan(500);
    expect(await stage.look()).toEqual(['behind', 'refilled']);
    expect(await stage.look()).toEqual([]);
  });

  test('are full again when their day begins', async () => {
    stage.clock.advance(Date.UTC(2026, 0, 1, 14, 59) - stage.clock.nowMs());
    await stage.commit({ uid: 'a', name: 'a', ...quota(10, 'Day') });
    stage.use('key/a', 10, 0, Date.UTC(2025, 11, 31, 15));
    expect(await stage.look()).toEqual(['a']);
    stage.clock.advance(60_000);
    expect(stage.metered.uses('a', stage.clock.nowMs())).toBe(0);
    expect(await stage.look()).toEqual(['a']);
    stage.clock.advance(DAY_MS);
    expect(await stage.look()).toEqual([]);
  });

  test('R124 have used nothing of a new round, from the moment on that it is approved', async () => {
    const key = { uid: 'a', name: 'a', ...quota(10) };
    await stage.commit({ ...key, grant: { formUid: 'form', round: 1 } });
    stage.use('grant/form/1', 10);
    expect(await stage.look()).toEqual(['a']);
    expect(stage.metered.usesOfGrant({ formUid: 'form', round: 1 }, 0)).toBe(10);
    expect(stage.metered.usesOfGrant({ formUid: 'form', round: 2 }, 0)).toBe(0);
    await stage.commit({ ...key, grant: { formUid: 'form', round: 2 } });
    expect(stage.metered.uses('a', 0)).toBe(0);
    expect(stage.metered.usesOfGrant({ formUid: 'form', round: 1 }, 0)).toBeUndefined();
    stage.told.set('a', { limit: 10, remaining: 0 });
    expect(await stage.look()).toEqual(['a']);
  });

  test('that are unlimited, blocked or gone are not asked about', async () => {
    await stage.commit({ uid: 'unlimited', ...quota(-1) });
    await stage.commit({ uid: 'blocked', ...quota(0) });
    await stage.commit({ uid: 'none' });
    await stage.commit({ uid: 'gone', ...quota(5) });
    await stage.commit({ uid: 'gone', phase: 'Ending', ...quota(5) });
    await stage.look();
    expect([stage.asked, stage.metered.uses('gone', 0)]).toEqual([[], undefined]);
  });

  test('are asked about in pages, and looked at in a bounded number, used up first', async () => {
    for (let index = 0; index < 700; index += 1) {
      const uid = `k${index}`;
      // oxlint-disable-next-line no-await-in-loop
      await stage.commit({ uid, name: uid, ...quota(10) });
      stage.use(`key/${uid}`, index < 650 ? 5 : 10);
    }
    const first = await stage.look();
    expect([first.length, first[0], stage.asked]).toEqual([300, 'k650', [500, 200]]);
    const rest = [await stage.look(), await stage.look(), await stage.look()];
    expect(rest.map(({ length }) => length)).toEqual([300, 100, 0]);
  });
});
