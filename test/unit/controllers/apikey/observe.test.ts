import { expect, test } from 'vitest';
import type { ApiKeySpec } from '../../../../src/api/generated/apikey.ts';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import { observe } from '../../../../src/controllers/apikey/observe.ts';
import { OwnSecrets } from '../../../../src/controllers/apikey/ownsecrets.ts';
import { OwnStatus } from '../../../../src/controllers/apikey/ownstatus.ts';
import { cacheApiKey } from '../../../../src/controllers/apikey/view.ts';
import type { KubeObject } from '../../../../src/api/meta.ts';
import { FakeClock } from '../../../support/clock.ts';
import { aRecord, aSpec, aStore } from '../../../support/world.ts';

const REF = { namespace: 'team', name: 'web' };
const SIGNAL = new AbortController().signal;

type Scene = {
  readonly isKnown: boolean;
  readonly object: 'Alive' | 'Deleting' | 'Gone';
};

/** What is observed of `team/web`, which has a record, and how often the ledger was asked. */
async function look({ isKnown, object }: Scene) {
  let loads = 0;
  const deletion = object === 'Deleting' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  const metadata = { ...REF, uid: 'uid-1', resourceVersion: '10', ...deletion };
  const key: KubeObject<{ spec: ApiKeySpec }> = { metadata, spec: aSpec() };
  const parts = {
    keys: { get: () => (object === 'Gone' ? undefined : cacheApiKey(key)) },
    ownStatus: new OwnStatus(),
    ownSecrets: new OwnSecrets(),
    secrets: { get: () => undefined },
    known: { mayHold: () => isKnown },
    ledger: {
      load: async () => {
        loads += 1;
        const record = aRecord();
        return object === 'Gone' ? { record: undefined, others: [record] } : { record, others: [] };
      },
    },
    client: { clockSkewMs: 0 },
    clock: new FakeClock(),
    stores: {
      of: () => ({ fact: aStore(), handle: undefined }),
      bound: () => ({ fact: aStore(), handle: undefined }),
    },
    guard: { permits: () => true },
    lossGraceMs: 30_000,
    debtAfterMs: 600_000,
  };
  // Whatever else is asked for is undefined and fails the test.
  const world = await observe(parts as unknown as Deps, REF, SIGNAL);
  return { loads, record: world?.record };
}

test('a live key whose name the ledger cannot hold is not asked for', async () => {
  const seen = await look({ isKnown: false, object: 'Alive' });
  expect(seen).toEqual({ loads: 0, record: undefined });
});

test.each([
  ['its name may be held', { isKnown: true, object: 'Alive' }],
  // No commit would follow that proves the absence of a record.
  ['it is being deleted', { isKnown: false, object: 'Deleting' }],
  ['it is gone', { isKnown: false, object: 'Gone' }],
] as const)('the ledger is asked for a key when %s', async (_, scene) => {
  const seen = await look(scene);
  expect(seen).toMatchObject({ loads: 1, record: { uid: 'uid-1' } });
});
