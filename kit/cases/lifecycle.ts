/** The life of a credential as long as nothing goes wrong. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import {
  assertShowsAll,
  assertShowsOnlyTruth,
  atVendor,
  canRegenerate,
  create,
  failureOf,
  freshMark,
  GOING_ON,
  ours,
  readIt,
  shown,
  slotsOf,
  wanted,
} from '../probes.ts';
import { SLOTS } from '../../src/keys/mint.ts';
import { isMarked, isReadable, type Case } from './case.ts';

/** Create, read, change, regenerate, delete, log in. */
export const lifecycleCases: readonly Case[] = [
  {
    title: 'connecting makes no traffic',
    async run({ fake, store }) {
      await store.login(GOING_ON);
      const first = fake.calls.length;
      await store.login(GOING_ON);
      // Whatever connecting had sent would have arrived before the first of the two.
      assert.equal(fake.calls.length, 2 * first);
    },
  },
  {
    title: 'what the driver declares holds together',
    async run({ handle, fake, subject }) {
      const { capabilities: can } = handle;
      assert.ok(can.formats.includes(handle.defaultFormat));
      assert.notEqual(can.class, 'Local');
      assert.ok(!(can.class === 'O' && can.recoverable), 'class O cannot restore a lost Secret');
      assert.ok(handle.settleMs >= 0 && handle.deleteGraceMs >= 0);
      assert.equal(handle.endpoint.origin, new URL(fake.address).origin);
      const [account] = fake.accounts;
      assert.deepEqual(
        handle.credentials.entries.toSorted(),
        Object.keys(account?.credentials ?? {}).toSorted(),
      );
      assert.doesNotThrow(() => subject.driver.open({}));
    },
  },
  {
    title: 'logging in tells whose credentials these are, always the same, and changes nothing',
    async run(site) {
      const { store, fake, connect } = site;
      await create(site);
      const [own, other] = fake.accounts;
      // Some vendors tell whose an account is only by what is in it.
      fake.act({ act: 'Create', accountId: other?.id ?? '' });
      const before = fake.credentials();
      const account = await store.login(GOING_ON);
      assert.equal(account.id, own?.id);
      assert.equal((await store.login(GOING_ON)).id, own?.id);
      // Denied: the store was told whose account it must be.
      const foreign = await connect(other?.credentials ?? {})
        .login(GOING_ON)
        .then(
          ({ id }) => id,
          async (err: unknown) => (await failureOf(Promise.reject(err), 'Denied')).kind,
        );
      assert.ok(foreign === other?.id || foreign === 'Denied');
      assert.deepEqual(fake.credentials(), before);
    },
  },
  {
    title: 'an account without credentials has an empty list, and can be logged in to',
    async run({ store, fake }) {
      assert.deepEqual(await store.list(GOING_ON), []);
      assert.equal((await store.login(GOING_ON)).id, fake.accounts[0]?.id);
    },
  },
  {
    title: 'creating makes exactly one credential that works, and shows its values once or more',
    async run(site) {
      const { handle, fake, store } = site;
      const { formats } = handle.capabilities;
      for (const format of formats) {
        const want = { ...wanted(site), format };
        // One after the other: some vendors allow no more.
        // oxlint-disable-next-line no-await-in-loop
        const made = await store.create(want, GOING_ON);
        // oxlint-disable-next-line no-await-in-loop
        const best = isReadable(handle.capabilities) ? await readIt(site, made.id) : made;
        assert.equal(made.enabled, true);
        assert.deepEqual(Object.keys(best.values).toSorted(), SLOTS[format].toSorted());
        assertShowsOnlyTruth(site, best);
        if (isMarked(handle.capabilities)) assert.deepEqual(made.mark, want.mark);
      }
      assert.equal(ours(fake).length, formats.length);
      assert.equal(fake.credentials().length, formats.length);
    },
  },
  {
    title: 'reading shows the credential, and names the account where the vendor does',
    async run(site) {
      const { id } = await create(site);
      const found = await readIt(site, id);
      assert.equal(found.id, id);
      assert.equal(found.enabled, true);
      assert.ok(found.accountId === undefined || found.accountId === site.fake.accounts[0]?.id);
      if (isReadable(site.handle.capabilities)) assertShowsAll(site, found);
      else assertShowsOnlyTruth(site, found);
      if (site.handle.capabilities.class === 'O') assert.deepEqual(shown(found), {});
    },
  },
  {
    title: 'values are in their boxes and nowhere else in an answer',
    async run(site) {
      const made = await create(site);
      await site.store.update(made.id, { enabled: true, name: 'n', description: 'd' }, GOING_ON);
      const answers = [made, await readIt(site, made.id), await site.store.list(GOING_ON)];
      const text = answers.map((answer) => inspect(answer, { depth: 9, showHidden: true })).join();
      for (const value of Object.values(atVendor(site, made.id).values)) {
        assert.ok(!text.includes(value) && !JSON.stringify(answers).includes(value));
      }
    },
  },
  {
    title: 'updating sets name, description and state as a whole, and may be repeated',
    async run(site) {
      const { id } = await create(site);
      const before = atVendor(site, id);
      const wish = { enabled: true, name: 'new name', description: 'new words' };
      await site.store.update(id, wish, GOING_ON);
      const answer = await site.store.update(id, wish, GOING_ON);
      const after = atVendor(site, id);
      assert.equal(answer?.id, id);
      assert.deepEqual(after.values, before.values);
      assert.equal(after.enabled, true);
      if (after.name !== undefined) assert.equal(after.name, wish.name);
      if (after.description !== undefined) assert.ok(after.description.includes(wish.description));
      const read = await readIt(site, id);
      if (read.name !== undefined) assert.equal(read.name, wish.name);
      if (read.description !== undefined) assert.equal(read.description, wish.description);
    },
  },
  {
    title: 'disabling and enabling change the state and nothing else, and may be repeated',
    when: ({ suspend }) => suspend,
    async run(site) {
      const { store } = site;
      const { id } = await create(site);
      const before = atVendor(site, id);
      const wish = { name: 'n', description: 'd' };
      for (const enabled of [false, false, true, true]) {
        // The order is what is tested.
        // oxlint-disable-next-line no-await-in-loop
        const answer = await store.update(id, { ...wish, enabled }, GOING_ON);
        assert.equal(answer?.enabled, enabled);
        assert.equal(atVendor(site, id).enabled, enabled);
        // oxlint-disable-next-line no-await-in-loop
        assert.equal((await readIt(site, id)).enabled, enabled);
        // oxlint-disable-next-line no-await-in-loop
        const listed = (await store.list(GOING_ON)).find((entry) => entry.id === id);
        assert.equal(listed?.enabled, enabled);
      }
      assert.deepEqual(atVendor(site, id).values, before.values);
    },
  },
  {
    title: 'regenerating replaces that value and no other, and the credential stays the same',
    when: ({ regeneratePerSlot }) => regeneratePerSlot,
    async run(site) {
      const { id } = await create(site);
      for (const slot of slotsOf(site)) {
        const before = atVendor(site, id);
        // oxlint-disable-next-line no-await-in-loop
        const answer = await site.store.regenerate(id, slot, GOING_ON);
        const after = atVendor(site, id);
        assert.equal(answer?.id, id);
        assert.notEqual(after.values[slot], before.values[slot]);
        assert.deepEqual({ ...after.values, [slot]: '' }, { ...before.values, [slot]: '' });
        assert.deepEqual([after.name, after.enabled], [before.name, before.enabled]);
        if (answer !== undefined) assertShowsOnlyTruth(site, answer);
        // oxlint-disable-next-line no-await-in-loop
        if (isReadable(site.handle.capabilities)) assertShowsAll(site, await readIt(site, id));
        else assert.equal(answer?.values[slot]?.revealText(), after.values[slot]);
      }
    },
  },
  {
    title: 'regenerating where it is not offered is refused and changes nothing',
    when: ({ regeneratePerSlot }) => !regeneratePerSlot,
    async run(site) {
      const { id } = await create(site);
      const before = atVendor(site, id);
      const slot = slotsOf(site)[0] ?? 'apiKey';
      const failure = await failureOf(site.store.regenerate(id, slot, GOING_ON), 'Refused');
      assert.equal(failure.executed, 'No');
      assert.deepEqual(atVendor(site, id), before);
    },
  },
  {
    title: 'deleting removes it; after that it is not found, whatever is asked',
    async run(site) {
      const { store, fake } = site;
      const { id } = await create(site);
      const kept = await create(site);
      const wish = { enabled: true, name: 'n', description: 'd' };
      assert.equal(await store.delete(id, GOING_ON), 'Deleted');
      assert.deepEqual(
        ours(fake).map((credential) => credential.id),
        [kept.id],
      );
      assert.equal(await store.delete(id, GOING_ON), 'NotFound');
      assert.equal(await store.read(id, GOING_ON), undefined);
      assert.equal(await store.update(id, wish, GOING_ON), undefined);
      if (canRegenerate(site)) {
        const slot = slotsOf(site)[0] ?? 'apiKey';
        assert.equal(await store.regenerate(id, slot, GOING_ON), undefined);
      }
      assert.deepEqual(
        (await store.list(GOING_ON)).map((entry) => entry.id),
        [kept.id],
      );
    },
  },
  {
    title: 'a mark finds what bears it, whatever the attempt, and nothing else',
    when: isMarked,
    async run(site) {
      const mark = freshMark();
      const first = await create(site, mark);
      await create(site);
      const isReplayed = site.handle.capabilities.class === 'I';
      const second = isReplayed ? first : await create(site, { ...mark, attempt: 2 });
      const found = await site.store.find(mark, GOING_ON);
      assert.deepEqual(new Set(found.map(({ id }) => id)), new Set([first.id, second.id]));
      assert.deepEqual(await site.store.find(freshMark(), GOING_ON), []);
    },
  },
  {
    title: 'what a person does at the vendor is seen',
    async run(site) {
      const { fake, store } = site;
      const { id } = await create(site);
      const slot = slotsOf(site)[0] ?? 'apiKey';
      if (site.handle.capabilities.suspend) {
        fake.act({ act: 'Disable', id });
        assert.equal((await readIt(site, id)).enabled, false);
        fake.act({ act: 'Enable', id });
      }
      if (atVendor(site, id).name !== undefined) {
        fake.act({ act: 'Rename', id, name: 'somebody was here' });
        const { name } = await readIt(site, id);
        assert.ok(name === undefined || name === 'somebody was here');
      }
      if (canRegenerate(site)) {
        fake.act({ act: 'Regenerate', id, slot });
        assertShowsOnlyTruth(site, await readIt(site, id));
      }
      fake.act({ act: 'Delete', id });
      assert.equal(await store.read(id, GOING_ON), undefined);
      assert.deepEqual(await store.list(GOING_ON), []);
    },
  },
  {
    title: 'many calls at once do not disturb each other',
    async run(site) {
      const marks = Array.from({ length: 8 }, () => freshMark());
      const made = await Promise.all(marks.map((mark) => create(site, mark)));
      assert.equal(new Set(made.map(({ id }) => id)).size, marks.length);
      const read = await Promise.all(made.map(({ id }) => readIt(site, id)));
      for (const credential of read) assertShowsOnlyTruth(site, credential);
      if (!isMarked(site.handle.capabilities)) return;
      const found = await Promise.all(marks.map((mark) => site.store.find(mark, GOING_ON)));
      assert.deepEqual(
        found.map((listings) => listings.map(({ id }) => id)),
        made.map(({ id }) => [id]),
      );
    },
  },
];
