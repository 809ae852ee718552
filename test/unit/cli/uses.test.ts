import { describe, expect, test } from 'vitest';
import { listKeys } from '../../../src/cli/ledgerkeys.ts';
import { readUses, usesText } from '../../../src/cli/uses.ts';
import type { CountRef, UseReads } from '../../../src/ledger/gate.ts';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import { aRecord, NOW_MS, OPEN_TERMS } from '../../support/world.ts';

const DAY = { requests: 10, period: 'Day', timeZone: 'Asia/Seoul' } as const;
/** Midnight in Seoul before the instant of the tests. */
const TODAY_MS = Date.UTC(2025, 11, 31, 15);

const free = aRecord({ uid: 'free', name: 'free' });
const daily = aRecord({ uid: 'daily', name: 'daily', terms: { ...OPEN_TERMS, quota: DAY } });
const open = aRecord({
  uid: 'open',
  name: 'open',
  terms: { ...OPEN_TERMS, quota: { ...DAY, requests: -1 } },
});
const closed = aRecord({
  uid: 'closed',
  name: 'closed',
  terms: { ...OPEN_TERMS, quota: { ...DAY, requests: 0 } },
});

const ASKED: CountRef[] = [];
const reads: UseReads = {
  counts: async (refs) => {
    ASKED.push(...refs);
    return refs
      .filter(({ subject, windowStartMs }) => subject === 'key/daily' && windowStartMs === TODAY_MS)
      .map((ref) => ({ ...ref, reserved: 8, unspent: 1 }));
  },
  usage: async (uids) =>
    uids
      .filter((uid) => uid === 'free' || uid === 'daily')
      .map((uid) => ({ uid, uses: 42, lastUsedMs: NOW_MS - 60_000 * 7 })),
};

describe('uses of keys', () => {
  test('R3 are known for a key without a quota, too', async () => {
    const uses = await readUses(reads, [free], NOW_MS);
    expect(uses.get('free')).toEqual({ total: 42, lastUsedMs: NOW_MS - 420_000 });
  });

  test('R109 R110 leave what gates have not let in today; -1 is never counted, 0 is nothing', async () => {
    ASKED.length = 0;
    const uses = await readUses(reads, [daily, open, closed], NOW_MS);
    expect(uses.get('daily')).toMatchObject({ total: 42, left: 3 });
    expect(uses.get('open')).toEqual({ total: 0, left: -1 });
    expect(uses.get('closed')).toEqual({ total: 0, left: 0 });
    expect(ASKED.map(({ subject }) => subject)).toEqual(['key/daily']);
  });

  test('are columns of the list of keys', async () => {
    const records: readonly KeyRecord[] = [free, daily, open];
    const ledger = { ...reads, scan: async () => ({ records, next: undefined }) };
    let text = '';
    const output = { data: (more: string) => void (text += more), note: () => undefined };
    await listKeys(ledger, 'All', { output, nowMs: NOW_MS });
    const cells = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/).slice(-4));
    expect(cells).toEqual([
      ['USES', 'LAST USE', 'LEFT', 'UID'],
      ['42', '7m ago', '-', 'free'],
      ['42', '7m ago', '3', 'daily'],
      ['0', '<never>', 'unlimited', 'open'],
    ]);
  });

  test('are told from status as what is left at most, because that is told in steps', () => {
    expect(usesText({ limit: 10, remaining: 4 }, undefined, 0)).toBe('at most 4 of 10 left');
    expect(usesText({ limit: 10, remaining: 0 }, undefined, 0)).toBe('nothing of 10 left');
    expect(usesText({ limit: -1 }, { total: 0 }, 0)).toBe('unlimited, never used');
    expect(usesText(undefined, undefined, 0)).toBe('');
  });

  test('are not denied where a gate has reserved some and written none', () => {
    const live = { total: 0, left: 0 };
    expect(usesText({ limit: 5 }, live, 0)).toBe('0 of 5 left, calls not written yet');
    expect(usesText({ limit: 5 }, { total: 0, left: 5 }, 0)).toBe('5 of 5 left, never used');
    expect(usesText({ limit: 0 }, live, 0)).toBe('0 of 0 left, never used');
  });
});
