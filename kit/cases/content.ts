/** What answers and names may contain, and what may never be shown of them. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { StoreFailure } from '../../src/stores/contract.ts';
import {
  atVendor,
  callIt,
  create,
  failureOf,
  GOING_ON,
  methodsOf,
  ours,
  readIt,
  slotsOf,
} from '../probes.ts';
import type { Site } from '../subject.ts';
import { isMarked, type Case } from './case.ts';

const EMOJI = '🔑';
const ODD = ['"', '\\', '<&>', '열쇠', EMOJI, 'é', "'", '%2F', '+', '#', '{}', '漢字'].join('');
/** Shorter texts may stand in a message by chance. */
const SECRET_LENGTH_MIN = 8;

/** Secrets in errors, strange members, names. */
export const contentCases: readonly Case[] = [
  ...[400, 401, 403, 404, 429, 500].map((status): Case => ({
    title: `secrets that a ${status} answer repeats are not in the failure, however it is printed`,
    async run(site) {
      const { id } = await create(site);
      for (const method of methodsOf(site)) {
        site.fake.inject({ operation: '*', fault: { kind: 'EchoSecrets', status } });
        // A 404 may be an answer; then there is no failure to print.
        // oxlint-disable-next-line no-await-in-loop
        const failure = await callIt(site, method, { id }).then(
          () => undefined,
          async (err: unknown) => await failureOf(Promise.reject(err)),
        );
        if (failure !== undefined) assertShowsNothing(site, failure);
        else assert.equal(status, 404);
        site.fake.clear();
      }
    },
  })),
  {
    title: 'secrets in an answer that is no JSON are not in the failure, however it is printed',
    async run(site) {
      const { id } = await create(site);
      const secrets = secretsOf(site);
      for (const method of methodsOf(site).filter((name) => name !== 'delete')) {
        for (const body of [secrets.join(' '), `{"a": ${secrets[0]}`, `[1, "${secrets[0]}`]) {
          site.fake.inject({ operation: '*', fault: { kind: 'NotJson', body } });
          // oxlint-disable-next-line no-await-in-loop
          assertShowsNothing(site, await failureOf(callIt(site, method, { id }), 'Garbled'));
          site.fake.clear();
        }
      }
    },
  },
  {
    title: 'members that nobody knows, also ones called like prototype parts, change no answer',
    async run(site) {
      const { id } = await create(site);
      const { store, fake } = site;
      const parts = Object.getOwnPropertyNames(Object.prototype).toSorted();
      const before = await readIt(site, id);
      fake.inject({ operation: '*', times: 1_000, fault: { kind: 'StrangeMembers' } });
      const { name, enabled, values, mark } = await readIt(site, id);
      assert.deepEqual(
        [name, enabled, Object.keys(values), mark],
        [before.name, before.enabled, Object.keys(before.values), before.mark],
      );
      const made = await create(site);
      await store.update(made.id, { enabled: true, name: 'n', description: 'd' }, GOING_ON);
      assert.equal((await store.login(GOING_ON)).id, fake.accounts[0]?.id);
      await listedOrGarbled(site, [id, made.id]);
      assert.equal(await store.delete(made.id, GOING_ON), 'Deleted');
      assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).toSorted(), parts);
      assert.ok(!('strange' in {}));
    },
  },
  {
    title: 'an id that would lead elsewhere in a path reaches no other resource',
    async run(site) {
      const { id } = await create(site);
      const before = site.fake.credentials();
      const odd = [
        '../credentials',
        `${id}/../${id}`,
        `${id}?a=b`,
        `${id}#`,
        '%2e%2e',
        '',
        ' ',
        '__proto__',
      ];
      for (const wrong of odd) {
        // oxlint-disable-next-line no-await-in-loop
        const read = await site.store
          .read(wrong, GOING_ON)
          .catch(async (err: unknown) => void (await failureOf(Promise.reject(err))));
        assert.equal(read, undefined);
        // oxlint-disable-next-line no-await-in-loop
        const ended = await site.store.delete(wrong, GOING_ON).catch(() => 'NotFound');
        assert.equal(ended, 'NotFound');
      }
      assert.deepEqual(site.fake.credentials(), before);
    },
  },
  {
    title:
      'names and descriptions of emoji, Hangul and signs are counted in code points and kept unchanged',
    when: ({ displayNameMax }) => displayNameMax > 0,
    async run(site) {
      const { displayNameMax, descriptionMax } = site.handle.capabilities;
      const { id } = await create(site);
      for (const text of [EMOJI, '가', ODD]) {
        const wish = {
          enabled: true,
          name: filled(text, displayNameMax),
          description: filled(text, descriptionMax),
        };
        // oxlint-disable-next-line no-await-in-loop
        await site.store.update(id, wish, GOING_ON);
        const { name, description } = atVendor(site, id);
        if (name !== undefined) assert.equal(name, wish.name);
        if (description !== undefined) assert.ok(description.includes(wish.description));
        // oxlint-disable-next-line no-await-in-loop
        const read = await readIt(site, id);
        if (read.name !== undefined) assert.equal(read.name, wish.name);
        if (read.description !== undefined) assert.equal(read.description, wish.description);
      }
    },
  },
  {
    title:
      'one code point more than the capabilities allow is Refused for sure, and changes nothing',
    when: ({ displayNameMax }) => displayNameMax > 0,
    async run(site) {
      const { displayNameMax, descriptionMax } = site.handle.capabilities;
      const { id } = await create(site);
      const before = atVendor(site, id);
      // A vendor that keeps neither has no limits to enforce.
      if (before.name === undefined && before.description === undefined) return;
      const fits = { enabled: true, name: 'n', description: 'd' };
      const tooLong = [
        ...(before.name === undefined
          ? []
          : [{ ...fits, name: filled(EMOJI, displayNameMax + 1) }]),
        ...(before.description === undefined
          ? []
          : [{ ...fits, description: filled(EMOJI, descriptionMax + 1) }]),
      ];
      for (const wish of tooLong) {
        // oxlint-disable-next-line no-await-in-loop
        const failure = await failureOf(site.store.update(id, wish, GOING_ON), 'Refused');
        assert.equal(failure.executed, 'No');
        assert.deepEqual(atVendor(site, id), before);
      }
    },
  },
  {
    title: 'the hint shows the public half of a credential or a few letters, never a value',
    async run(site) {
      const made = await create(site);
      const values = Object.values(atVendor(site, made.id).values);
      for (const { hint } of [made, await readIt(site, made.id)]) {
        assert.ok(hint.length > 0 && values.every((value) => !hint.includes(value)));
        assert.ok(
          values.every((value) => !hint.includes(value.slice(0, Math.ceil(value.length / 2)))),
        );
      }
    },
  },
  {
    title: 'every attempt is signed anew',
    async run(site) {
      if (site.subject.signing === 'None') return;
      const { id } = await create(site);
      const from = site.fake.calls.length;
      for (let attempt = 0; attempt < 3; attempt += 1) {
        // oxlint-disable-next-line no-await-in-loop
        await readIt(site, id);
        site.clock.pass(1_000);
      }
      const digests = site.fake.calls.slice(from).map(({ headersDigest }) => headersDigest);
      assert.equal(new Set(digests).size, digests.length);
      assert.equal(slotsOf(site).length > 0 && ours(site.fake).length, 1);
    },
  },
];

function filled(text: string, codePoints: number): string {
  const all = [...text];
  return Array.from({ length: codePoints }, (_, at) => all[at % all.length]).join('');
}

function secretsOf({ fake }: Site): readonly string[] {
  return [
    ...fake.credentials().flatMap(({ values }) => Object.values(values)),
    ...fake.accounts.flatMap(({ credentials }) => Object.values(credentials)),
  ].filter(({ length }) => length >= SECRET_LENGTH_MIN);
}

function assertShowsNothing(site: Site, failure: StoreFailure): void {
  const printed = [
    failure.message,
    String(failure),
    failure.stack ?? '',
    JSON.stringify(failure),
    JSON.stringify(failure, Object.getOwnPropertyNames(failure)),
    inspect(failure, { depth: 9, showHidden: true, maxStringLength: Infinity }),
  ].join('\n');
  for (const secret of secretsOf(site)) {
    assert.ok(!printed.includes(secret), 'a secret stands in the failure');
    assert.ok(
      !printed.includes(secret.slice(0, SECRET_LENGTH_MIN)),
      'a part of a secret stands in the failure',
    );
  }
}

/** In a list that is a map by id, a strange member is an entry of no known shape. */
async function listedOrGarbled(site: Site, ids: readonly string[]): Promise<void> {
  const listed = await site.store
    .list(GOING_ON)
    .catch(async (err: unknown) => void (await failureOf(Promise.reject(err), 'Garbled')));
  if (listed === undefined) return;
  assert.deepEqual(listed.map(({ id }) => id).toSorted(), ids.toSorted());
  assert.ok(isMarked(site.handle.capabilities) || listed.every(({ mark }) => mark === undefined));
}
