/** Lists by offset that shift while they are read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PAGE_LIMIT, readAll } from '../../../../src/stores/naver/pages.ts';
import type { Page } from '../../../../src/stores/naver/wire.ts';

type Entry = { readonly id: string };
type Change = (entries: Entry[]) => void;

/** A vendor whose list is changed between two pages, and that gives at most `pageMax` entries. */
function vendor(
  entries: Entry[],
  { pageMax = PAGE_LIMIT, changes = [] as Change[], total = true } = {},
): {
  read: (range: { offset: number; limit: number }) => Promise<Page<Entry>>;
  pages: () => number;
} {
  let pages = 0;
  return {
    async read({ offset, limit }) {
      const page = entries.slice(offset, offset + Math.min(limit, pageMax));
      const answer = { entries: page, ...(total ? { total: entries.length } : {}) };
      changes[pages]?.(entries);
      pages += 1;
      return answer;
    },
    pages: () => pages,
  };
}

const numbered = (count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => ({ id: `k${i}` }));
const ids = (entries: readonly Entry[]): string[] => entries.map(({ id }) => id).toSorted();

describe('a list in pages', () => {
  test('that fits on one page is asked for once', async () => {
    const one = vendor(numbered(5));
    expect(ids(await readAll(one.read))).toEqual(ids(numbered(5)));
    expect(one.pages()).toBe(1);
  });

  test('may be empty', async () => {
    expect(await readAll(vendor([]).read)).toEqual([]);
    expect(await readAll(vendor([], { total: false }).read)).toEqual([]);
  });

  test.each([true, false])('is read to its end, with a total: %s', async (total) => {
    const many = vendor(numbered(250), { total });
    expect(ids(await readAll(many.read))).toEqual(ids(numbered(250)));
  });

  test('is read to its end when the vendor gives fewer entries than were asked for', async () => {
    const many = vendor(numbered(23), { pageMax: 4 });
    expect(ids(await readAll(many.read))).toEqual(ids(numbered(23)));
  });

  test('hides no entry behind a page that moved because another one was deleted (S15)', async () => {
    const shifting = vendor(numbered(12), { pageMax: 4, changes: [(list) => list.shift()] });
    expect(ids(await readAll(shifting.read))).toEqual(
      expect.arrayContaining(ids(numbered(12)).slice(1)),
    );
  });

  test('hides no entry that moved to the front because it was changed', async () => {
    const toFront: Change = (list) => list.unshift(...list.splice(11, 1));
    const shifting = vendor(numbered(12), { pageMax: 4, changes: [toFront] });
    expect(ids(await readAll(shifting.read))).toEqual(ids(numbered(12)));
  });

  test('hides no entry that stays, whatever comes and goes between any two pages', async () => {
    const act = fc.record({ page: fc.nat(8), isDelete: fc.boolean(), at: fc.nat(29) });
    const plan = fc.array(act, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 2, max: 9 }), async (acts, pageMax) => {
        const staying = new Set(numbered(30).map(({ id }) => id));
        const changes = Array.from({ length: 9 }, (_, page) => (list: Entry[]) => {
          for (const { at, isDelete } of acts.filter((one) => one.page === page)) {
            if (isDelete) list.splice(at, 1).forEach(({ id }) => staying.delete(id));
            else list.splice(at, 0, { id: `new${page}-${at}` });
          }
        });
        const found = await readAll(vendor(numbered(30), { pageMax, changes }).read);
        expect(ids(found)).toEqual(expect.arrayContaining([...staying]));
      }),
    );
  });

  test('that never holds still is no answer', async () => {
    const list = numbered(12);
    let next = 0;
    const restless: Change = (entries) => entries.unshift({ id: `new${next++}` });
    const changes = Array.from({ length: 100 }, () => restless);
    await expect(readAll(vendor(list, { pageMax: 4, changes }).read)).rejects.toMatchObject({
      kind: 'Unavailable',
    });
  });

  test('whose total promises what never comes is no answer', async () => {
    const lying = { read: async () => ({ entries: [], total: 7 }) };
    await expect(readAll(lying.read)).rejects.toMatchObject({ kind: 'Unavailable' });
  });

  test('that repeats itself for ever is given up', async () => {
    let next = 0;
    const endless = async ({ offset }: { offset: number }): Promise<Page<Entry>> => ({
      entries: [{ id: `k${offset}` }, { id: `k${offset + 1}` }, { id: `x${next++}` }],
      total: 1_000_000_000,
    });
    const ring = async (): Promise<Page<Entry>> => ({ entries: numbered(3), total: 1_000_000_000 });
    await expect(readAll(ring)).rejects.toMatchObject({ kind: 'Garbled' });
    await expect(readAll(endless)).rejects.toMatchObject({ kind: 'Unavailable' });
  });
});

test('pages that are longer than was asked for do not fill the memory', async () => {
  let pages = 0;
  const endless = ({ offset }: { readonly offset: number }) => {
    pages += 1;
    const entries = Array.from({ length: 10_000 }, (_, at) => ({ id: `key-${offset + at}` }));
    return Promise.resolve({ entries, total: Number.MAX_SAFE_INTEGER });
  };
  await expect(readAll(endless)).rejects.toThrow('a list without end');
  expect(pages).toBeLessThan(12);
});
