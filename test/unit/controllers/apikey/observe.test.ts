import { describe, expect, test } from 'vitest';
import type { ApiKeySpec, ApiKeyStatus } from '../../../../src/api/generated/apikey.ts';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import { observe } from '../../../../src/controllers/apikey/observe.ts';
import { OwnSecrets } from '../../../../src/controllers/apikey/ownsecrets.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import { OwnStatus } from '../../../../src/runtime/ownstatus.ts';
import { ANNOTATION_ROTATE } from '../../../../src/api/names.ts';
import { cacheApiKey } from '../../../../src/controllers/apikey/view.ts';
import type { KubeObject, Ref } from '../../../../src/api/meta.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { FakeClock } from '../../../support/clock.ts';
import {
  aCredential,
  aDualCredential,
  aRecord,
  aRotation,
  aSpec,
  aStore,
} from '../../../support/world.ts';

const REF = { namespace: 'team', name: 'web' };
const SIGNAL = new AbortController().signal;

type Seen = { readonly uid: string; readonly resourceVersion: string };
type Scene = {
  readonly isKnown: boolean;
  readonly object: 'Alive' | 'Deleting' | 'Gone';
  readonly spec?: ApiKeySpec;
  readonly annotated?: string;
  /** Requests that the ledger knows. */
  readonly spent?: readonly string[];
  readonly status?: ApiKeyStatus;
  readonly record?: Partial<KeyRecord>;
  /** Tokens that a step failed for. */
  readonly failed?: readonly string[];
  /** What the watch of Secrets shows; absent: nothing. None: there is no watch. */
  readonly watched?: Seen | 'None';
  /** What the API server has, or its refusal to say. */
  readonly live?: Seen | Error;
  /** Names about which the guard is asked, by the call. */
  readonly asked?: (string | undefined)[];
};

/** What is observed of `team/web`, which has a record, and how often the ledger was asked. */
async function look(scene: Scene) {
  const { isKnown, object, spec = aSpec(), annotated, spent = [], status, asked = [] } = scene;
  const { watched, live } = scene;
  let [loads, liveReads] = [0, 0];
  const deletion = object === 'Deleting' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  const annotations = annotated === undefined ? {} : { [ANNOTATION_ROTATE]: annotated };
  const metadata = { ...REF, uid: 'uid-1', resourceVersion: '10', annotations, ...deletion };
  const key: KubeObject<{ spec: ApiKeySpec; status?: ApiKeyStatus }> = {
    metadata,
    spec,
    ...(status === undefined ? {} : { status }),
  };
  const parts = {
    keys: { get: () => (object === 'Gone' ? undefined : cacheApiKey(key)) },
    ownStatus: new OwnStatus(),
    ownSecrets: new OwnSecrets(),
    secrets: watched === 'None' ? undefined : { get: () => watched },
    metrics: { liveReads: { inc: () => (liveReads += 1) } },
    known: { mayHold: () => isKnown },
    holds: { imposedOn: () => undefined },
    ledger: {
      load: async () => {
        loads += 1;
        const record = aRecord(scene.record);
        return object === 'Gone' ? { record: undefined, others: [record] } : { record, others: [] };
      },
      isRequestSpent: async (_uid: string, id: string) => spent.includes(id),
    },
    client: {
      clockSkewMs: 0,
      isClockTrusted: true,
      get: async () => {
        if (live instanceof Error) throw live;
        return live && { metadata: live };
      },
    },
    clock: new FakeClock(),
    stores: {
      of: () => ({ fact: aStore(), handle: undefined }),
      bound: () => ({ fact: aStore(), handle: undefined }),
    },
    remoteChecks: {
      isDue: () => false,
      failures: (tokens: readonly string[]) =>
        scene.failed?.filter((token) => tokens.includes(token)),
    },
    guard: {
      permits: (gone?: Ref) => {
        asked.push(gone?.name);
        return true;
      },
    },
    lossGraceMs: 30_000,
    debtAfterMs: 600_000,
  };
  // Whatever else is asked for is undefined and fails the test.
  const world = await observe(parts as unknown as Deps, REF, SIGNAL);
  const rotation = world?.key?.spec.rotation;
  const { record, rotationRequest, secret, remoteFailures } = world ?? {};
  return { loads, record, rotationRequest, rotation, secret, liveReads, remoteFailures };
}

test.each([
  ['Gone', 'web'],
  ['Alive', undefined],
] as const)(
  'the guard is told of a key that is %s as somebody who waits: %s',
  async (object, name) => {
    const asked: (string | undefined)[] = [];
    await look({ isKnown: true, object, asked });
    expect(asked).toEqual([name]);
  },
);

test.each(['Retained', 'Ending', 'Ended'] as const)(
  'the guard is not told of a key as somebody who waits when its record is %s',
  async (phase) => {
    const asked: (string | undefined)[] = [];
    await look({ isKnown: true, object: 'Gone', record: { phase }, asked });
    expect(asked).toEqual([undefined]);
  },
);

test('a live key whose name the ledger cannot hold is not asked for', async () => {
  const seen = await look({ isKnown: false, object: 'Alive' });
  expect(seen).toMatchObject({ loads: 0, record: undefined, rotationRequest: undefined });
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

test.each(['Alive', 'Gone'] as const)(
  'credentials that the vendor failed for are known of a key that is %s',
  async (object) => {
    const credential = aCredential({ token: 'a', remote: { account: 'account-1', facts: {} } });
    const record = aRecord({ credentials: [credential] });
    const seen = await look({ isKnown: true, object, record, failed: ['b', 'a'] });
    expect(seen.remoteFailures).toEqual(['a']);
  },
);

/** The ledger knows the key and no request at all: it was restored. */
describe('a rotation request that status says was handled', () => {
  const atVendor: ApiKeyStatus = { remote: { id: 'id-2' }, lastHandledRotationRequestId: 'r1' };
  const requested = (change: Parameters<typeof aRotation>[0]) =>
    aSpec({ rotation: aRotation({ requestId: 'r1', ...change }) });
  const scene = { isKnown: true, object: 'Alive' } as const;

  test('is not done again at a vendor by a restored database', async () => {
    const seen = await look({ ...scene, spec: requested({}), status: atVendor });
    expect(seen.rotationRequest).toBeUndefined();
  });

  test('does not stand in the way of a new one', async () => {
    const spec = requested({});
    const seen = await look({ ...scene, spec, status: atVendor, annotated: 'r2' });
    expect(seen.rotationRequest).toBe('r2');
    const next = await look({ ...scene, spec: requested({ requestId: 'r3' }), status: atVendor });
    expect(next.rotationRequest).toBe('r3');
  });

  test('lends neither its urgency nor its slot to one that comes by annotation', async () => {
    const manner = { urgency: 'Emergency', slot: 'Primary' } as const;
    const asked = { ...scene, annotated: 'r2', spent: ['r1'] };
    const seen = await look({ ...asked, spec: requested(manner) });
    expect(seen.rotationRequest).toBe('r2');
    expect(seen.rotation).toEqual(aRotation({ requestId: 'r1' }));
    const own = await look({ ...asked, spec: requested({ ...manner, requestId: 'r3' }) });
    expect(own).toMatchObject({ rotationRequest: 'r3', rotation: manner });
    const alone = await look({ ...asked, spec: aSpec({ rotation: aRotation(manner) }) });
    expect(alone).toMatchObject({ rotationRequest: 'r2', rotation: manner });
  });

  test.each([
    ['the one before it in the spec', { spec: requested({}), annotated: 'r2' }, 'r2', 'r1'],
    ['the one before it in the annotation', { spec: requested({}), annotated: 'r2' }, 'r1', 'r2'],
  ])('is not done again, nor is %s', async (_, change, last, before) => {
    const status = {
      ...atVendor,
      lastHandledRotationRequestId: last,
      handledRotationRequestIds: [before],
    };
    expect((await look({ ...scene, ...change, status })).rotationRequest).toBeUndefined();
    const next = await look({ ...scene, ...change, annotated: 'r3', status });
    expect(next.rotationRequest).toBe('r3');
  });

  test('is done again in an emergency: the older value works again and must not', async () => {
    const spec = requested({ urgency: 'Emergency' });
    const seen = await look({ ...scene, spec, status: atVendor });
    expect(seen.rotationRequest).toBe('r1');
  });

  test('is done again in a store of our own, where it leaves nothing behind', async () => {
    const status = { lastHandledRotationRequestId: 'r1' };
    const seen = await look({ ...scene, spec: requested({}), status });
    expect(seen.rotationRequest).toBe('r1');
  });
});

describe('the Secret of a Dual key whose values are nowhere else', () => {
  const record = { format: 'Dual', credentials: [aDualCredential()] } as const;
  const known = { uid: 'secret-1', resourceVersion: '20' };
  const scene = { isKnown: true, object: 'Alive', record, watched: known } as const;
  const one = { requestId: 'r1', urgency: 'Emergency', slot: 'Primary' } as const;
  const asking = (change: Parameters<typeof aRotation>[0]) =>
    aSpec({ rotation: aRotation(change) });

  test('is read live in an emergency of one value, whatever the watch shows, until that was handled', async () => {
    const gone = await look({ ...scene, spec: asking(one) });
    expect(gone).toMatchObject({ secret: { type: 'Absent' }, liveReads: 1 });
    const kept = await look({ ...scene, spec: asking(one), live: known });
    expect(kept).toMatchObject({ secret: { type: 'Present', ...known }, liveReads: 1 });
    const handled = await look({ ...scene, spec: asking(one), spent: ['r1'] });
    expect(handled).toMatchObject({ secret: { type: 'Present', ...known }, liveReads: 0 });
  });

  test('is not known where it cannot be read, which holds up nothing else of the key', async () => {
    const refused = new KeywardError('Terminal', { reason: 'Forbidden', message: 'no' });
    const seen = await look({ ...scene, spec: asking(one), live: refused });
    expect(seen).toMatchObject({ secret: { type: 'Unwatched' }, rotationRequest: 'r1' });
    const going = await look({ ...scene, object: 'Deleting', spec: asking(one), live: refused });
    expect(going).toMatchObject({ liveReads: 0 });
  });

  test.each([
    ['a planned rotation of one value', { ...one, urgency: 'Planned' }],
    ['an emergency of all values', { requestId: 'r1', urgency: 'Emergency' }],
  ] as const)('is taken from the watch for %s', async (_, change) => {
    expect(await look({ ...scene, spec: asking(change) })).toMatchObject({ liveReads: 0 });
  });
});
