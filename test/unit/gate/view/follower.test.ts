import { describe, expect, it } from 'vitest';
import { sleep } from '../../../../src/kernel/clock.ts';
import { issueKey } from '../../../support/gate.keys.ts';
import { Bench, SETTINGS, showing } from '../bench.ts';

const QUESTION_MS = 50;

/** A gate with a key that nobody changes, and a database whose feed takes its time. */
async function slowBench() {
  const bench = await new Bench().start();
  const { database, clock } = bench;
  const key = bench.issue('a');
  await bench.pass(200);
  const { record } = issueKey('busy');
  const change = () => database.put(record);
  const onFeed = (act: () => void) => {
    database.before = async (method) => {
      if (method !== 'changes') return;
      await sleep(clock, QUESTION_MS);
      act();
    };
  };
  return { bench, database, key, change, onFeed };
}

describe('a database that changes without a pause', () => {
  it('does not make a gate say no that takes the changes in all the while', async () => {
    const { bench, key, change, onFeed } = await slowBench();
    onFeed(change);
    await bench.pass(2 * SETTINGS.maxStalenessMs);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
  });

  it('has what was committed before a look in force after it, over however many pages', async () => {
    const { bench, database, key, change, onFeed } = await slowBench();
    onFeed(change);
    await bench.pass(1_000);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
    // The feed names each change, so these are several pages of it.
    for (let i = 0; i < 1_800; i += 1) change();
    database.put({ ...key.record, state: 'Suspended' });
    const looks = () => database.asked.get('identity') ?? 0;
    const before = looks();
    // The one that was under way, and one that begins now.
    for (let i = 0; i < 200 && looks() <= before + 1; i += 1) await bench.pass(10);
    expect(await bench.cause(showing(key.value))).toBe('KeySuspended');
  });
});

describe('a database that is at rest', () => {
  it('is looked at to its end where the position stays behind what is committed', async () => {
    const { bench, database, key, onFeed } = await slowBench();
    onFeed(() => undefined);
    const { commitCounter } = database.identity;
    database.identity = { ...database.identity, commitCounter: commitCounter + 1_000 };
    await bench.pass(2 * SETTINGS.maxStalenessMs);
    expect(await bench.cause(showing(key.value))).toBe('Allowed');
  });
});
