import { describe, expect, test } from 'vitest';
import { SECRETS } from '../../../../src/api/names.ts';
import { LOOK_PAUSE_MS, OwnSecrets } from '../../../../src/controllers/apikey/ownsecrets.ts';
import { onSecret } from '../../../../src/controllers/apikey/triggers.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { look, REF, work, workshop } from './bench.ts';

const named = (index: number) => ({ namespace: 'team', name: `job-${index}` });

describe('Without a watch of Secrets', () => {
  test('a write is believed for the rest of its pass, and nothing is remembered of it', async () => {
    const at = workshop();
    const [world] = await work(at, look(at));
    const { uid, resourceVersion } = at.cluster.find(SECRETS, REF)?.metadata ?? {};
    expect(world.secret).toEqual({ type: 'Present', uid, resourceVersion });
    expect(at.deps.ownSecrets.size).toBe(0);
  });

  test('a Secret is looked at once in each pause', () => {
    const own = new OwnSecrets();
    const dueMs = [0, 1, LOOK_PAUSE_MS - 1, LOOK_PAUSE_MS, LOOK_PAUSE_MS + 1, 2 * LOOK_PAUSE_MS];
    expect(dueMs.filter((nowMs) => own.isLookDue(REF, nowMs))).toEqual([
      0,
      LOOK_PAUSE_MS,
      2 * LOOK_PAUSE_MS,
    ]);
  });

  test('a Secret is looked at again when the clock was put back by more than the pause', () => {
    const own = new OwnSecrets();
    const nowMs = 5 * LOOK_PAUSE_MS;
    expect(own.isLookDue(REF, nowMs)).toBe(true);
    expect(own.isLookDue(REF, nowMs - 1)).toBe(false);
    expect(own.isLookDue(REF, nowMs - LOOK_PAUSE_MS)).toBe(true);
  });

  test('looks at keys that are gone are forgotten after the pause, however many there were', () => {
    const own = new OwnSecrets();
    for (let index = 0; index < 1_000; index += 1) {
      expect(own.isLookDue(named(index), index * LOOK_PAUSE_MS)).toBe(true);
      expect(own.isLookDue(REF, index * LOOK_PAUSE_MS)).toBe(true);
    }
    expect(own.size).toBe(2);
  });
});

test('A write is remembered until the watch shows it', () => {
  const own = new OwnSecrets();
  own.wrote(REF, { uid: 'secret-1', resourceVersion: '7' }, undefined);
  expect(own.sight(REF, undefined)).toMatchObject({ type: 'Present', resourceVersion: '7' });
  own.saw(REF, { uid: 'secret-1', resourceVersion: '7' });
  expect(own.sight(REF, undefined)).toEqual({ type: 'Absent' });
  expect(own.size).toBe(0);
});

test('A Secret wakes its key also after a commit that was made and whose answer was lost', async () => {
  const at = workshop();
  const [, steps] = await work(at, look(at), 2);
  expect(steps).toEqual(['Issue', 'WriteSecret']);
  const { port } = at.ledger;
  const ledger: typeof port = {
    ...port,
    load: (uid, ref) => port.load(uid, ref),
    commit: async (commit) => {
      await port.commit(commit);
      throw new KeywardError('Transient', { reason: 'LedgerUnavailable', message: 'cut off' });
    },
  };
  const cut = { ...at, deps: { ...at.deps, ledger } };
  await expect(work(cut, look(at), 2)).rejects.toThrow('cut off');
  const view = { uid: 'secret-1', resourceVersion: '1', label: 'web', ownerName: 'web' };
  const deleted = { ref: REF, previous: view, current: undefined };
  expect(onSecret(at.deps.ownSecrets, deleted)).toMatchObject([{ ref: REF }]);
});
