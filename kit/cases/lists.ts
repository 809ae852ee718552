/** Lists: late, long, moving, and other people's. */
import assert from 'node:assert/strict';
import { create, freshMark, GOING_ON, ours, readIt, shown } from '../probes.ts';
import type { Site } from '../subject.ts';
import { isMarked, type Case } from './case.ts';

/** More than two pages of any vendor that is known. */
const MANY = 250;

/** Finding and listing. */
export const listCases: readonly Case[] = [
  {
    title:
      'a list shows every credential of the account once, without values, and no other account',
    async run(site) {
      const { fake, store } = site;
      strangers(site, MANY);
      fake.act({ act: 'Create', accountId: fake.accounts[1]?.id ?? '' });
      const { id } = await create(site);
      const listed = await store.list(GOING_ON);
      assert.deepEqual(
        listed.map((entry) => entry.id).toSorted(),
        ours(fake)
          .map((credential) => credential.id)
          .toSorted(),
      );
      assert.ok(listed.some((entry) => entry.id === id));
      const text = JSON.stringify(listed);
      const values = fake.credentials().flatMap((credential) => Object.values(credential.values));
      assert.ok(values.every((value) => !text.includes(value)));
    },
  },
  {
    title: "a stranger's credential bears no mark of ours, whatever it is called",
    async run(site) {
      const names = ['keyward', '__proto__', 'constructor', '열쇠 🔑', 'kw', ''];
      for (const name of names) site.fake.act({ act: 'Create', name, description: name });
      const listed = await site.store.list(GOING_ON);
      assert.equal(listed.length, names.length);
      assert.ok(listed.every(({ mark }) => mark === undefined));
      if (!isMarked(site.handle.capabilities)) return;
      assert.deepEqual(await site.store.find(freshMark(), GOING_ON), []);
    },
  },
  {
    title: 'pages that shift while they are read hide nothing that was there all the time',
    async run(site) {
      const { fake, store } = site;
      strangers(site, MANY);
      const mark = freshMark();
      const { id } = await create(site, mark);
      fake.pageShift = ['Delete', 'Create', 'Delete'];
      const before = ours(fake).map((credential) => credential.id);
      const listed = new Set((await store.list(GOING_ON)).map((entry) => entry.id));
      const after = new Set(ours(fake).map((credential) => credential.id));
      const constant = before.filter((entry) => after.has(entry));
      assert.ok(constant.length > MANY - 5 && listed.has(id));
      assert.deepEqual(
        constant.filter((entry) => !listed.has(entry)),
        [],
      );
      if (!isMarked(site.handle.capabilities)) return;
      fake.pageShift = ['Delete', 'Create', 'Delete'];
      assert.deepEqual(
        (await store.find(mark, GOING_ON)).map((entry) => entry.id),
        [id],
      );
    },
  },
  {
    title: 'a list that never holds still ends, with a failure or with all that was there',
    async run(site) {
      strangers(site, MANY);
      site.fake.pageShift = Array.from({ length: 200 }, (_, at) => (at % 2 ? 'Create' : 'Delete'));
      const before = ours(site.fake).map(({ id }) => id);
      const listed = await site.store.list(GOING_ON).catch(() => undefined);
      if (listed === undefined) return;
      const after = new Set(ours(site.fake).map(({ id }) => id));
      const ids = new Set(listed.map(({ id }) => id));
      assert.deepEqual(
        before.filter((id) => after.has(id) && !ids.has(id)),
        [],
      );
    },
  },
  {
    title:
      'a list that lags is right after the settle time, and reading by id does not wait for it',
    async run(site) {
      const { fake, handle, store, clock } = site;
      fake.listLagMs = handle.settleMs;
      const mark = freshMark();
      const { id } = await create(site, mark);
      const read = await readIt(site, id);
      assert.equal(read.id, id);
      if (handle.settleMs > 0) assert.deepEqual(await store.list(GOING_ON), []);
      clock.pass(handle.settleMs);
      assert.deepEqual(
        (await store.list(GOING_ON)).map((entry) => entry.id),
        [id],
      );
      if (!isMarked(handle.capabilities)) return;
      assert.deepEqual(
        (await store.find(mark, GOING_ON)).map((entry) => entry.id),
        [id],
      );
    },
  },
  {
    title: 'reading, finding and listing change nothing',
    async run(site) {
      const { fake, store } = site;
      const { id } = await create(site);
      const before = fake.credentials();
      shown(await readIt(site, id));
      await store.list(GOING_ON);
      if (isMarked(site.handle.capabilities)) await store.find(freshMark(), GOING_ON);
      assert.deepEqual(fake.credentials(), before);
    },
  },
];

function strangers({ fake }: Site, count: number): void {
  for (let made = 0; made < count; made += 1) fake.act({ act: 'Create', name: `other ${made}` });
}
