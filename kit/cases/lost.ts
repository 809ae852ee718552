/** Answers that never come: what happened must be found out again, by the way of the class. */
import assert from 'node:assert/strict';
import { sleep } from '../../src/kernel/clock.ts';
import type { Fault } from '../fake.ts';
import {
  assertShowsAll,
  atVendor,
  create,
  difference,
  failureOf,
  freshMark,
  GOING_ON,
  ours,
  readIt,
  shown,
  slotsOf,
  until,
  wanted,
} from '../probes.ts';
import type { Site } from '../subject.ts';
import { isMarked, isReadable, type Case } from './case.ts';

/** Carried out at the vendor, and the caller cannot know. */
const HANDLED: readonly Fault[] = [
  { kind: 'LostAnswer' },
  { kind: 'Torn' },
  { kind: 'NotJson' },
  { kind: 'Status', status: 500, handled: true },
];

/** Not carried out, whatever the answer says. */
const UNHANDLED: readonly Fault[] = [
  { kind: 'Cut' },
  { kind: 'Status', status: 200, body: '{}' },
  { kind: 'Status', status: 201, body: '' },
  { kind: 'Status', status: 503, body: 'busy' },
];

const LATE_MS = 100;

/** Create, update, regenerate and delete without an answer. */
export const lostAnswerCases: readonly Case[] = [
  {
    title: 'class M: a create call without an answer is found by its mark, and its values are read',
    when: ({ class: kind }) => kind === 'M',
    run: (site) => forEachFault(site, HANDLED, async (mark) => await foundByMark(site, mark)),
  },
  {
    title: 'class D: a create call without an answer is the one more that the list shows',
    when: ({ class: kind }) => kind === 'D',
    async run(site) {
      for (const fault of HANDLED) {
        // oxlint-disable-next-line no-await-in-loop
        const before = await site.store.list(GOING_ON);
        // oxlint-disable-next-line no-await-in-loop
        await createInVain(site, fault);
        // oxlint-disable-next-line no-await-in-loop
        const [id, ...more] = difference(before, await site.store.list(GOING_ON));
        assert.deepEqual(more, []);
        // oxlint-disable-next-line no-await-in-loop
        assertShowsAll(site, await readIt(site, id ?? ''));
      }
    },
  },
  {
    title:
      'class O: a create call without an answer is found without values, deleted and then gone',
    when: ({ class: kind }) => kind === 'O',
    run: (site) =>
      forEachFault(site, HANDLED, async (mark) => {
        const [found, ...more] = await site.store.find(mark, GOING_ON);
        assert.deepEqual(more, []);
        const { id } = found ?? assert.fail('it was not found by its mark');
        assert.deepEqual(shown(await readIt(site, id)), {});
        assert.equal(await site.store.delete(id, GOING_ON), 'Deleted');
        assert.deepEqual(await site.store.find(mark, GOING_ON), []);
      }),
  },
  {
    title: 'class I: a create call without an answer is made again and answers the same credential',
    when: ({ class: kind }) => kind === 'I',
    run: (site) =>
      forEachFault(site, HANDLED, async (mark) => {
        const count = ours(site.fake).length;
        const again = await create(site, mark);
        assertShowsAll(site, again);
        assert.equal(ours(site.fake).length, count, 'the call was not recognised as the same');
      }),
  },
  {
    title: 'class X: a create call without an answer is unknown, and the driver does not guess',
    when: ({ class: kind }) => kind === 'X',
    run: (site) => forEachFault(site, HANDLED, async () => await Promise.resolve()),
  },
  {
    title:
      'a create call that was never carried out fails, whatever the answer says, and leaves nothing',
    async run(site) {
      for (const fault of UNHANDLED) {
        const mark = freshMark();
        site.fake.inject({ operation: 'create', fault });
        // oxlint-disable-next-line no-await-in-loop
        await failureOf(site.store.create(wanted(site, mark), GOING_ON), 'Unavailable', 'Garbled');
        assert.deepEqual(ours(site.fake), []);
        // oxlint-disable-next-line no-await-in-loop
        if (isMarked(site.handle.capabilities))
          assert.deepEqual(await site.store.find(mark, GOING_ON), []);
      }
    },
  },
  {
    title: 'a failed call is not made again by the driver',
    async run(site) {
      const { id } = await create(site);
      const faults: readonly Fault[] = [...HANDLED, ...UNHANDLED, { kind: 'Status', status: 429 }];
      for (const fault of faults) {
        const before = site.fake.calls.length;
        site.fake.inject({ operation: 'create', fault });
        // oxlint-disable-next-line no-await-in-loop
        await failureOf(site.store.create(wanted(site), GOING_ON));
        const made = site.fake.calls
          .slice(before)
          .filter(({ operation }) => operation === 'create');
        assert.equal(made.length, 1, `after ${JSON.stringify(fault)}`);
      }
      site.fake.inject({ operation: 'delete', fault: { kind: 'Cut' } });
      await failureOf(site.store.delete(id, GOING_ON), 'Unavailable');
      assert.equal(site.fake.calls.filter(({ operation }) => operation === 'delete').length, 1);
    },
  },
  {
    title: 'a create call that is delivered after its repetition is found beside it',
    when: isMarked,
    async run(site) {
      const mark = freshMark();
      site.fake.inject({ operation: 'create', fault: { kind: 'Late', ms: LATE_MS } });
      await failureOf(site.store.create(wanted(site, mark), GOING_ON), 'Unavailable');
      await create(site, mark);
      // An idempotency key makes one call of both.
      const count = site.handle.capabilities.class === 'I' ? 1 : 2;
      await sleep(site.clock, 2 * LATE_MS);
      await until(() => ours(site.fake).length >= count, 'the late call');
      const found = await site.store.find(mark, GOING_ON);
      assert.deepEqual(
        found.map(({ id }) => id).toSorted(),
        ours(site.fake)
          .map(({ id }) => id)
          .toSorted(),
      );
      assert.equal(found.length, count);
    },
  },
  {
    title: 'a create call that the network doubles is seen as often as it was carried out',
    async run(site) {
      const mark = freshMark();
      site.fake.inject({ operation: 'create', fault: { kind: 'Twice' } });
      const made = await site.store.create(wanted(site, mark), GOING_ON);
      const ids = new Set(ours(site.fake).map(({ id }) => id));
      assert.ok(ids.has(made.id));
      const listed = await site.store.list(GOING_ON);
      assert.deepEqual(new Set(listed.map(({ id }) => id)), ids);
      if (!isMarked(site.handle.capabilities)) return;
      const found = await site.store.find(mark, GOING_ON);
      assert.deepEqual(new Set(found.map(({ id }) => id)), ids);
    },
  },
  {
    title:
      'a regenerate call without an answer may have happened; reading tells, and one value changed',
    when: (can) => can.regeneratePerSlot && isReadable(can),
    async run(site) {
      const { id } = await create(site);
      const slot = slotsOf(site)[0] ?? 'apiKey';
      for (const fault of HANDLED) {
        const before = atVendor(site, id).values;
        site.fake.inject({ operation: 'regenerate', fault });
        // oxlint-disable-next-line no-await-in-loop
        const failure = await failureOf(
          site.store.regenerate(id, slot, GOING_ON),
          'Unavailable',
          'Garbled',
        );
        assert.equal(failure.executed, 'Unknown');
        // oxlint-disable-next-line no-await-in-loop
        const read = await readIt(site, id);
        assertShowsAll(site, read);
        assert.notEqual(shown(read)[slot], before[slot]);
        assert.deepEqual({ ...shown(read), [slot]: '' }, { ...before, [slot]: '' });
      }
    },
  },
  {
    title: 'an update without an answer may have happened; reading tells',
    when: ({ suspend }) => suspend,
    async run(site) {
      const { id } = await create(site);
      site.fake.inject({ operation: 'update', fault: { kind: 'LostAnswer' } });
      const wish = { enabled: false, name: 'n', description: 'd' };
      const failure = await failureOf(site.store.update(id, wish, GOING_ON), 'Unavailable');
      assert.equal(failure.executed, 'Unknown');
      assert.equal((await readIt(site, id)).enabled, atVendor(site, id).enabled);
    },
  },
  {
    title: 'a delete call without an answer may have happened; made again it finds nothing',
    async run(site) {
      const { id } = await create(site);
      site.fake.inject({ operation: 'delete', fault: { kind: 'LostAnswer' } });
      const failure = await failureOf(site.store.delete(id, GOING_ON), 'Unavailable');
      assert.equal(failure.executed, 'Unknown');
      assert.equal(await site.store.delete(id, GOING_ON), 'NotFound');
    },
  },
];

async function forEachFault(
  site: Site,
  faults: readonly Fault[],
  find: (mark: ReturnType<typeof freshMark>) => Promise<void>,
): Promise<void> {
  for (const fault of faults) {
    // One after the other, because each counts what is there.
    // oxlint-disable-next-line no-await-in-loop
    await find(await createInVain(site, fault));
  }
}

/** Creates one whose answer is lost, and proves that the failure does not claim to know. */
async function createInVain(site: Site, fault: Fault): Promise<ReturnType<typeof freshMark>> {
  const mark = freshMark();
  const count = ours(site.fake).length;
  site.fake.inject({ operation: 'create', fault });
  const call = site.store.create(wanted(site, mark), GOING_ON);
  const failure = await failureOf(call, 'Unavailable', 'Garbled');
  assert.equal(failure.executed, 'Unknown', `executed after ${JSON.stringify(fault)}`);
  assert.equal(ours(site.fake).length, count + 1);
  return mark;
}

async function foundByMark(site: Site, mark: ReturnType<typeof freshMark>): Promise<void> {
  const [found, ...more] = await site.store.find(mark, GOING_ON);
  assert.deepEqual(more, []);
  const read = await readIt(site, found?.id ?? '');
  assert.deepEqual(read.mark, mark);
  assertShowsAll(site, read);
}
