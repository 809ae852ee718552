/**
 * What every database must do for gates. Run it with
 * `describeGateLedger('SQLite', () => createHarness())`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/kernel/time.ts';
import type { GateLedger, LeaseWish, SeenSignature } from '../../src/ledger/gate.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { aForm } from '../support/forms.ts';
import { together } from './ledger.documents.ts';
import { describeImports } from './ledger.imports.ts';
import {
  aCommit,
  aCredential,
  aKey,
  anEntry,
  aSlot,
  AT_MS,
  CLUSTER,
  EPOCH,
} from './ledger.records.ts';

/** One database with its operator, and as many gates as a test likes. */
export type GateHarness = {
  readonly url: string;
  open(): Promise<Ledger>;
  openGate(): Promise<GateLedger>;
  /** Closes what is open and removes the database. */
  remove(): Promise<void>;
};

/** Long ago by every clock: a database does not forget what has not ended by its own. */
const NOW_MS = Date.UTC(2025, 5, 15, 12);
const COUNT = { subject: 'key/a', windowStartMs: NOW_MS - HOUR_MS };
const MOST = Number.MAX_SAFE_INTEGER;

function aWish(changes: Partial<LeaseWish> = {}): LeaseWish {
  const id = randomBytes(8).toString('hex');
  return {
    ...COUNT,
    id,
    windowEndMs: NOW_MS + HOUR_MS,
    limit: 100,
    uses: 10,
    nowMs: NOW_MS,
    ...changes,
  };
}

function aSignature(text: string, changes: Partial<SeenSignature> = {}): SeenSignature {
  const digest = new Uint8Array(createHash('sha256').update(text).digest());
  return { keyId: 'k1', digest, untilMs: NOW_MS + MINUTE_MS, nowMs: NOW_MS, ...changes };
}

export function describeGateLedger(name: string, createHarness: () => Promise<GateHarness>): void {
  let harness: GateHarness;
  let ledger: Ledger;
  let gate: GateLedger;
  let other: GateLedger;

  beforeEach(async () => {
    harness = await createHarness();
    ledger = await harness.open();
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'operator-0');
    [gate, other] = await Promise.all([harness.openGate(), harness.openGate()]);
  });

  afterEach(() => harness.remove());

  async function leased(wish: LeaseWish, at: GateLedger = gate): Promise<[number, number]> {
    const [lease] = await at.lease([wish]);
    expect(lease?.id).toBe(wish.id);
    return [lease?.uses ?? -1, lease?.unreserved ?? -1];
  }

  async function reserved(ref = COUNT): Promise<number | undefined> {
    return (await gate.counts([ref]))[0]?.reserved;
  }

  describeImports(name, () => ({ ledger, gate }));

  describe(`${name} gate: leases (R112)`, () => {
    it('reserve what is wanted, then what is left, then nothing', async () => {
      expect(await leased(aWish({ uses: 60 }))).toEqual([60, 40]);
      expect(await leased(aWish({ uses: 60 }), other)).toEqual([40, 0]);
      expect(await leased(aWish({ uses: 1 }))).toEqual([0, 0]);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 100, unspent: 100 }]);
    });

    it('of one call count on top of each other, and are answered in order', async () => {
      const other = { subject: 'key/b' };
      const wishes = [aWish({ uses: 70 }), aWish({ ...other, uses: 5 }), aWish({ uses: 70 })];
      const leases = await gate.lease([...wishes, aWish({ uses: 70 })]);
      expect(leases.map(({ uses }) => uses)).toEqual([70, 5, 30, 0]);
      expect(leases.slice(0, 3).map(({ id }) => id)).toEqual(wishes.map(({ id }) => id));
    });

    it('are reserved once, however often and wherever the same id is asked for', async () => {
      const wish = aWish();
      const asked = await Promise.all(
        Array.from({ length: 12 }, (_, index) => leased(wish, index % 2 === 0 ? gate : other)),
      );
      expect(asked).toEqual(Array.from({ length: 12 }, () => [10, 90]));
      expect(await reserved()).toBe(10);
      expect((await gate.lease([wish, wish])).map(({ uses }) => uses)).toEqual([10, 10]);
      expect(await reserved()).toBe(10);
    });

    it('that many gates ask for at the same moment never exceed the limit', async () => {
      const wishes = Array.from({ length: 40 }, () => aWish({ uses: 7 }));
      const uses = await Promise.all(
        wishes.map(async (wish, index) => (await leased(wish, index % 2 ? gate : other))[0]),
      );
      expect(uses.reduce((sum, each) => sum + each)).toBe(100);
      expect(uses.filter((each) => each === 7)).toHaveLength(14);
      expect(await reserved()).toBe(100);
    });

    it('that are returned leave what was spent, once, however often and wherever', async () => {
      const wish = aWish();
      await leased(wish);
      const report = { id: wish.id, spent: 3 };
      await Promise.all([
        gate.returnLeases([report], NOW_MS),
        other.returnLeases([report], NOW_MS),
        gate.returnLeases([report, { id: wish.id, spent: 1 }], NOW_MS),
      ]);
      await gate.returnLeases([{ id: wish.id, spent: 0 }], NOW_MS);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 3, unspent: 0 }]);
      expect(await leased(aWish({ uses: 200 }))).toEqual([97, 0]);
    });

    it('are over once they were returned, also for a repetition of the wish that is late', async () => {
      const wish = aWish();
      await leased(wish);
      await gate.returnLeases([{ id: wish.id, spent: 4 }], NOW_MS);
      expect(await leased(wish, other)).toEqual([0, 96]);
      await gate.reportLeases([{ id: wish.id, spent: 9 }], NOW_MS);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 4, unspent: 0 }]);
    });

    it('tell how far they are spent: never less than before, never more than was leased', async () => {
      const wish = aWish();
      await leased(wish);
      const unspent = async (spent: number): Promise<number | undefined> => {
        await gate.reportLeases([{ id: wish.id, spent }], NOW_MS);
        return (await other.counts([COUNT]))[0]?.unspent;
      };
      expect(await unspent(6)).toBe(4);
      expect(await unspent(2)).toBe(4);
      expect(await unspent(99)).toBe(0);
      await gate.returnLeases([{ id: wish.id, spent: 0 }], NOW_MS);
      expect(await reserved()).toBe(10);
    });

    it('that were returned before their wish arrived reserve nothing', async () => {
      const wishes = [aWish(), aWish(), aWish()];
      await gate.returnLeases([{ id: wishes[1]?.id ?? '', spent: 0 }], NOW_MS);
      expect((await other.lease(wishes)).map(({ uses }) => uses)).toEqual([10, 0, 10]);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 20, unspent: 20 }]);
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const wish = aWish({ limit: MOST });
          await Promise.all([
            gate.lease([wish]),
            other.returnLeases([{ id: wish.id, spent: 0 }], NOW_MS),
          ]);
        }),
      );
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 20, unspent: 20 }]);
    });

    it('that nobody knows are passed over', async () => {
      await gate.reportLeases([{ id: 'unknown', spent: 1 }], NOW_MS);
      await gate.returnLeases([{ id: 'unknown', spent: 1 }], NOW_MS);
      expect(await gate.counts([COUNT])).toEqual([]);
    });

    it('follow the limit of each wish, which may be raised and lowered in between', async () => {
      expect(await leased(aWish({ uses: 80 }))).toEqual([80, 20]);
      expect(await leased(aWish({ limit: 50 }))).toEqual([0, 0]);
      expect(await leased(aWish({ limit: 85 }))).toEqual([5, 0]);
      expect(await leased(aWish({ limit: 1_000, uses: 15 }))).toEqual([15, 900]);
      expect(await reserved()).toBe(100);
    });

    it('reserve nothing in a window that has ended, and know what was reserved before', async () => {
      const wish = aWish();
      await leased(wish);
      const endMs = NOW_MS + HOUR_MS;
      expect(await leased({ ...aWish(), nowMs: endMs })).toEqual([0, 0]);
      expect(await leased({ ...wish, nowMs: endMs })).toEqual([10, 90]);
      const lifetime = aWish({ windowStartMs: 0, windowEndMs: undefined, nowMs: endMs });
      expect(await leased(lifetime)).toEqual([10, 90]);
    });

    it('of each window and each subject are counted by themselves', async () => {
      await leased(aWish({ uses: 100 }));
      expect(await leased(aWish({ subject: 'key/A', uses: 1 }))).toEqual([1, 99]);
      expect(await leased(aWish({ windowStartMs: NOW_MS, uses: 1 }))).toEqual([1, 99]);
      expect(await leased(aWish({ subject: 'key/ключ"\\', uses: 1 }))).toEqual([1, 99]);
    });

    it('count up to 2^53 - 1 without an error of one', async () => {
      const wish = aWish({ limit: MOST, uses: MOST - 1 });
      expect(await leased(wish)).toEqual([MOST - 1, 1]);
      expect(await leased(aWish({ limit: MOST, uses: MOST }))).toEqual([1, 0]);
      expect(await leased(aWish({ limit: MOST, uses: 1 }))).toEqual([0, 0]);
      await gate.returnLeases([{ id: wish.id, spent: MOST - 2 }], NOW_MS);
      expect(await reserved()).toBe(MOST - 1);
      expect(await leased(aWish({ limit: MOST, uses: 5 }))).toEqual([1, 0]);
    });

    it.each([
      { limit: Number.NaN },
      { limit: 0 },
      { limit: -1 },
      { uses: 0 },
      { uses: 1.5 },
      { uses: MOST + 1 },
      { nowMs: Number.NaN },
      { windowStartMs: Number.POSITIVE_INFINITY },
    ])('are refused for numbers that cannot be counted with: %o', async (changes) => {
      await expect(gate.lease([aWish(), aWish(changes)])).rejects.toMatchObject({ class: 'Bug' });
      expect(await gate.counts([COUNT])).toEqual([]);
    });
  });

  describe(`${name} gate: what is forgotten`, () => {
    it('are leases of which nobody was heard, which count as spent for ever', async () => {
      const [silent, heard] = [aWish(), aWish()];
      await gate.lease([silent, heard]);
      await gate.reportLeases([{ id: heard.id, spent: 2 }], NOW_MS + MINUTE_MS);
      await other.sweepUses(NOW_MS + MINUTE_MS, MINUTE_MS - 1);
      expect(await gate.counts([COUNT])).toEqual([{ ...COUNT, reserved: 20, unspent: 8 }]);
      await gate.returnLeases([{ id: silent.id, spent: 0 }], NOW_MS + MINUTE_MS);
      expect(await reserved()).toBe(20);
    });

    it('are windows a day after their end, with their leases; never one without end', async () => {
      const endMs = NOW_MS + HOUR_MS;
      const lifetime = { subject: 'key/a', windowStartMs: 0 };
      await gate.lease([aWish(), aWish({ ...lifetime, windowEndMs: undefined })]);
      await gate.sweepUses(endMs + DAY_MS, 10 * DAY_MS);
      expect(await gate.counts([COUNT, lifetime])).toHaveLength(2);
      await gate.sweepUses(endMs + DAY_MS + 1, 10 * DAY_MS);
      expect(await gate.counts([COUNT, lifetime])).toEqual([
        { ...lifetime, reserved: 10, unspent: 10 },
      ]);
    });

    it('is no window that a longer one has joined', async () => {
      await gate.lease([aWish(), aWish({ windowEndMs: NOW_MS + 30 * DAY_MS }), aWish()]);
      await gate.sweepUses(NOW_MS + 5 * DAY_MS, 90 * DAY_MS);
      expect(await reserved()).toBe(30);
      await leased(aWish({ windowEndMs: undefined }));
      await gate.sweepUses(NOW_MS + 90 * DAY_MS, 90 * DAY_MS);
      expect(await reserved()).toBe(40);
    });

    it('are signatures some minutes after their date', async () => {
      const seen = aSignature('a');
      await gate.remember([seen]);
      await gate.sweepUses(seen.untilMs + MINUTE_MS, DAY_MS);
      expect(await gate.remember([seen])).toEqual([false]);
      await gate.sweepUses(seen.untilMs + HOUR_MS, DAY_MS);
      expect(await gate.remember([seen])).toEqual([true]);
    });

    it('is the usage of keys that are gone, a month after their last use', async () => {
      await ledger.commit(aCommit(aKey('there')));
      const used = ['there', 'gone'].map((uid) => ({ uid, uses: 1, lastUsedMs: NOW_MS }));
      await gate.reportUsage(used);
      await gate.sweepUses(NOW_MS + 29 * DAY_MS, DAY_MS);
      expect(await gate.usage(['there', 'gone'])).toHaveLength(2);
      await gate.sweepUses(NOW_MS + 31 * DAY_MS, DAY_MS);
      expect((await gate.usage(['there', 'gone'])).map(({ uid }) => uid)).toEqual(['there']);
    });

    it('goes in steps, and all of it goes', async () => {
      const many = Array.from({ length: 2_500 }, (_, index) => aSignature(`s${index}`));
      await gate.remember(many);
      await Promise.all([gate, other].map((each) => each.sweepUses(NOW_MS + DAY_MS, DAY_MS)));
      expect((await gate.remember(many)).every(Boolean)).toBe(true);
    });
  });

  describe(`${name} gate: signatures (R112)`, () => {
    it('are new to exactly one of many that bring them at the same moment', async () => {
      const third = await harness.openGate();
      const gates = [gate, other, third];
      const signatures = Array.from({ length: 20 }, (_, index) => aSignature(`s${index}`));
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          (gates[index % 3] ?? gate).remember(
            index % 2 === 0 ? signatures : signatures.toReversed(),
          ),
        ),
      );
      const firsts = signatures.map(
        (_, at) =>
          answers.filter((answer, index) =>
            index % 2 === 0 ? answer[at] : answer.toReversed()[at],
          ).length,
      );
      expect(firsts).toEqual(signatures.map(() => 1));
    });

    it('of one call are new once as well', async () => {
      const [a, b] = [aSignature('a'), aSignature('b')];
      expect(await gate.remember([a, b, a, { ...b }])).toEqual([true, true, false, false]);
      expect(await other.remember([b, aSignature('c'), a])).toEqual([false, true, false]);
      expect(await other.remember([])).toEqual([]);
    });

    it('are told apart by key and by each byte', async () => {
      const a = aSignature('a');
      const digest = Uint8Array.from(a.digest);
      digest[31] = (digest[31] ?? 0) ^ 1;
      const likenesses = [a, { ...a, keyId: 'k2' }, { ...a, digest }, { ...a, keyId: 'K1' }];
      expect(await gate.remember(likenesses)).toEqual([true, true, true, true]);
    });

    it('are refused without a digest of 32 bytes', async () => {
      const short = aSignature('a', { digest: new Uint8Array(31) });
      await expect(gate.remember([short])).rejects.toMatchObject({ class: 'Bug' });
    });
  });

  describe(`${name} gate: usage (R112)`, () => {
    it('of a key adds up, whoever reports it, and the last use is the last', async () => {
      const report = { uid: 'a', uses: 2, lastUsedMs: NOW_MS };
      await Promise.all([
        gate.reportUsage([report, { ...report, uses: 3 }, { ...report, uid: 'b' }]),
        other.reportUsage([{ ...report, uses: 5, lastUsedMs: NOW_MS - 1 }]),
      ]);
      expect(new Set(await gate.usage(['a', 'b', 'c']))).toEqual(
        new Set([
          { uid: 'a', uses: 10, lastUsedMs: NOW_MS },
          { uid: 'b', uses: 2, lastUsedMs: NOW_MS },
        ]),
      );
    });

    it('stops at 2^53 - 1 instead of failing', async () => {
      const report = { uid: 'a', uses: MOST, lastUsedMs: NOW_MS };
      await gate.reportUsage([report]);
      await gate.reportUsage([report, report]);
      expect(await gate.usage(['a'])).toEqual([report]);
    });
  });

  describe(`${name} gate: ids of keys`, () => {
    const ids = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop
        const page = await gate.keyIds(3, found.at(-1));
        found.push(...page);
        if (page.length < 3) return found;
      }
    };

    it('are read page by page in their order, those of credentials that ended lately too', async () => {
      const keys = ['c', 'a', 'b', 'e', 'd'].map((uid) => aKey(uid));
      await Promise.all(keys.map((key) => ledger.commit(aCommit(key))));
      expect(await ids()).toEqual(['a', 'b', 'c', 'd', 'e'].map((uid) => `keyId-${uid}-1`));
      const replaced = aKey('b', {
        revision: 1,
        sequence: 2,
        credentials: [aCredential('b-2', { sequence: 2 })],
      });
      await ledger.commit(aCommit(replaced));
      await ledger.commit(aCommit(aKey('d', { revision: 1, phase: 'Ended', credentials: [] })));
      expect(await ids()).toEqual(
        ['a-1', 'b-1', 'b-2', 'c-1', 'd-1', 'e-1'].map((id) => `keyId-${id}`),
      );
      expect(new Set(await gate.keyIdsOf(['b', 'a', 'd', 'x']))).toEqual(
        new Set(['keyId-a-1', 'keyId-b-1', 'keyId-b-2', 'keyId-d-1']),
      );
      expect(await gate.keyIdsOf([])).toEqual([]);
    });

    it('lead to the record, and its changes are in the feed', async () => {
      const { cursor } = await gate.changes(10);
      await ledger.commit(aCommit(aKey('a')));
      expect(await gate.findByKeyId('keyId-a-1')).toMatchObject({ uid: 'a', revision: 1 });
      expect((await gate.changes(10, cursor)).uids).toEqual(['a']);
    });

    it('lead to the name of the form of the grant, where there is one', async () => {
      const grant = { formUid: 'form-1', round: 1 };
      await ledger.commit(aCommit(aKey('a', { grant })));
      await ledger.commit(aCommit(aKey('b')));
      expect(await gate.findByKeyId('keyId-a-1')).not.toHaveProperty('application');
      const form = aForm({ clusterId: CLUSTER, uid: 'form-1', name: 'maps-form' });
      await ledger.commitDocuments(together({ kind: 'Form', document: form, expectedRevision: 0 }));
      const record = await ledger.findByKeyId('keyId-a-1');
      expect(record?.grant).toEqual(grant);
      expect(await gate.findByKeyId('keyId-a-1')).toEqual({ ...record, application: 'maps-form' });
      expect(await gate.findByKeyId('keyId-b-1')).not.toHaveProperty('application');
    });
  });

  describe(`${name} gate: a value that ended`, () => {
    const states = async (keyId: string): Promise<readonly string[] | undefined> => {
      const found = await gate.findByKeyId(keyId);
      return found?.credentials.map((each) => `${each.keyId} ${each.state}`);
    };
    const at = (days: number) => ({ audit: anEntry({ atMs: AT_MS + days * DAY_MS }) });
    const rotated = (sequence: number): KeyRecord =>
      aKey('a', {
        revision: sequence - 1,
        sequence,
        credentials: [aCredential(`a-${sequence}`, { sequence })],
      });

    it('is known to gates by its digest for 30 days, and to nobody else', async () => {
      await ledger.commit(aCommit(rotated(1), at(0)));
      await ledger.commit(aCommit(rotated(2), at(0)));
      const both = ['keyId-a-1 Deleted', 'keyId-a-2 Sealed'];
      expect(await states('keyId-a-1')).toEqual(both);
      expect(await states('keyId-a-2')).toEqual(both);
      const [ended] = (await gate.findByKeyId('keyId-a-1'))?.credentials ?? [];
      const { sealed: _, ...slot } = aSlot('a-1');
      expect(ended?.slots).toEqual([slot]);
      expect((await ledger.findByKeyId('keyId-a-1'))?.credentials).toHaveLength(1);
      expect((await ledger.scan(10)).records[0]?.credentials).toHaveLength(1);

      await ledger.close();
      ledger = await harness.open();
      await ledger.commit(aCommit(aKey('b'), at(29)));
      expect(await states('keyId-a-1')).toEqual(both);
      await ledger.close();
      ledger = await harness.open();
      await ledger.commit(aCommit(aKey('c'), at(31)));
      expect(await states('keyId-a-1')).toEqual(['keyId-a-2 Sealed']);
      expect(await gate.keyIdsOf(['a'])).toEqual(['keyId-a-2']);
    });

    it('of a revoked key and of one that is gone is known as well', async () => {
      await ledger.commit(aCommit(rotated(1)));
      await ledger.commit(aCommit({ ...rotated(2), state: 'Revoked', credentials: [] }));
      expect(await gate.findByKeyId('keyId-a-1')).toMatchObject({ state: 'Revoked' });
      await ledger.commit(aCommit({ ...rotated(3), phase: 'Ended', credentials: [] }));
      expect(await gate.findByKeyId('keyId-a-1')).toMatchObject({ phase: 'Ended' });
      expect(await states('keyId-a-1')).toEqual(['keyId-a-1 Deleted']);
    });

    it('needs no master key any more', async () => {
      await ledger.commit(aCommit(rotated(1)));
      expect(await ledger.versionsInUse()).toHaveLength(1);
      await ledger.commit(aCommit({ ...rotated(2), credentials: [] }));
      expect(await ledger.versionsInUse()).toEqual([]);
      expect(await gate.versionsInUse()).toEqual([]);
    });

    it('crowds nobody out: of one key the newest few are known', async () => {
      for (let sequence = 1; sequence <= 40; sequence += 1) {
        // oxlint-disable-next-line no-await-in-loop
        await ledger.commit(aCommit(rotated(sequence)));
      }
      const newest = Array.from({ length: 16 }, (_, index) => `keyId-a-${24 + index} Deleted`);
      expect(await states('keyId-a-40')).toEqual([...newest, 'keyId-a-40 Sealed']);
      expect(await states('keyId-a-3')).toEqual([...newest, 'keyId-a-40 Sealed']);
      expect((await ledger.findByKeyId('keyId-a-3'))?.credentials).toHaveLength(1);
    });
  });

  describe(`${name} gate: the operator`, () => {
    it('goes on while gates write as fast as they can, and finds its own as it left it', async () => {
      let isOver = false;
      const press = async (at: GateLedger, prefix: string): Promise<number> => {
        for (let number = 0; ; number += 1) {
          if (isOver) return number;
          // oxlint-disable-next-line no-await-in-loop
          await Promise.all([
            at.lease([aWish({ subject: `key/${number % 7}`, limit: MOST })]),
            at.remember([aSignature(`${prefix}${number}`)]),
            at.reportUsage([{ uid: 'a', uses: 1, lastUsedMs: NOW_MS }]),
          ]);
        }
      };
      const pressing = [press(gate, 'g'), press(other, 'o')];
      try {
        for (let number = 0; number < 60; number += 1) {
          const keys = [0, 1, 2].map((index) => aKey(`k${number}-${index}`));
          const commits = keys.map((key) => ledger.commit(aCommit(key, { audit: anEntry() })));
          // oxlint-disable-next-line no-await-in-loop
          for (const { type } of await Promise.all(commits)) expect(type).toBe('Committed');
        }
      } finally {
        isOver = true;
      }
      const rounds = (await Promise.all(pressing)).reduce((sum, each) => sum + each);
      expect(await ledger.verifyAudit()).toEqual({ entries: 180, brokenAt: undefined });
      expect(await gate.usage(['a'])).toEqual([{ uid: 'a', uses: rounds, lastUsedMs: NOW_MS }]);
      expect((await ledger.identity()).commitCounter).toBe(180);
    });
  });
}
