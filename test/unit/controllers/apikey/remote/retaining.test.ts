/** Keys at vendors that outlive their object (`deletionPolicy: Retain`): what comes first, and what is waited for. */
import { describe, expect, test } from 'vitest';
import { SECRETS } from '../../../../../src/api/names.ts';
import { wantedStatus } from '../../../../../src/controllers/apikey/status.ts';
import type { ApiKeyView } from '../../../../../src/controllers/apikey/world.ts';
import { DAY_MS, formatTime, MINUTE_MS } from '../../../../../src/kernel/time.ts';
import type { Draft } from '../../../../../src/kube/port.ts';
import { aKey, aRotation, aSecretSpec, aSpec } from '../../../../support/world.ts';
import { expectWhole, onePass, put, REF, settle, workshop, type Workshop } from './workshop.ts';

async function be(at: Workshop, key: ApiKeyView): Promise<void> {
  put(at, key);
  await settle(at, key);
}

const enabled = (at: Workshop) => [...at.vendor.credentials.values()].map((each) => each.enabled);

test('a key that outlives its object in the midst of a rotation goes on with the values in its Secret', async () => {
  const at = workshop('D', { store: { retention: 'Allowed' } });
  const kept = (change: Partial<ApiKeyView>, rotation = {}): ApiKeyView =>
    aKey({ spec: aSpec({ deletionPolicy: 'Retain', ...rotation }), ...change });
  await be(at, kept({}));
  const [inUse] = at.vendor.credentials.keys();
  const secret = at.cluster.find(SECRETS, REF) as unknown as Draft;
  at.cluster.set(SECRETS, REF, { ...secret, immutable: true } as Draft);
  const rotation = { rotation: aRotation({ requestId: 'r1' }) };
  put(at, kept({}, rotation));
  await onePass(at, kept({}, rotation));
  expect(at.vendor.credentials.size).toBe(2);
  await be(at, kept({ isDeleting: true }, rotation));
  expect(at.ledger.records.get('uid-1')?.phase).toBe('Retained');
  expect([...at.vendor.credentials.keys()]).toEqual([inUse]);
});

describe('a key that goes on without its object', () => {
  const kept = (change: Parameters<typeof aSpec>[0] = {}, isDeleting = true): ApiKeyView =>
    aKey({ isDeleting, spec: aSpec({ deletionPolicy: 'Retain', ...change }) });
  const issued = async (): Promise<Workshop> => {
    const at = workshop('M', { store: { retention: 'Allowed' } });
    await be(at, kept({}, false));
    return at;
  };
  const record = (at: Workshop) => at.ledger.records.get('uid-1');
  const readyOf = ({ world, thrown }: Awaited<ReturnType<typeof onePass>>) =>
    wantedStatus(world, thrown)?.conditions?.find(({ type }) => type === 'Ready');
  const values = (at: Workshop) =>
    [...at.vendor.credentials.values()].flatMap((each) => [...each.values.values()]);
  const leaked = aRotation({ requestId: 'leak', urgency: 'Emergency' });

  test('is ended all the same when it was revoked in the same moment', async () => {
    const at = await issued();
    await be(at, kept({ state: 'Revoked' }));
    expect(record(at)).toMatchObject({ phase: 'Ended', credentials: [] });
    expect(at.vendor.credentials.size).toBe(0);
  });

  test('is switched off first when it was suspended, and says so while the vendor does not answer', async () => {
    const at = await issued();
    const going = kept({ state: 'Suspended' });
    at.vendor.fault = (call) => (call === 'update' ? 'Cut' : undefined);
    put(at, going);
    const pass = await onePass(at, going);
    expect(record(at)?.phase).toBe('Live');
    expect(readyOf(pass)).toMatchObject({ status: 'False', reason: 'StoreUnavailable' });
    expect(readyOf(pass)?.message).toMatch(
      /told whether it is suspended.*fails.*deletionPolicy to Revoke/,
    );
    at.vendor.fault = () => undefined;
    await settle(at, going);
    expect(record(at)).toMatchObject({ phase: 'Retained', state: 'Suspended' });
    expect(enabled(at)).toEqual([false]);
  });

  test('has the values replaced first whose replacement has begun, and the new ones in its Secret', async () => {
    const at = await issued();
    const rotation = aRotation({ requestId: 'r1', slot: 'Secondary' });
    const [before] = [...at.vendor.credentials.values()].map(({ values }) => [...values.values()]);
    at.vendor.fault = (call) => (call === 'regenerate' ? 'Cut' : undefined);
    put(at, kept({ rotation }, false));
    await onePass(at, kept({ rotation }, false));
    put(at, kept({ rotation }));
    await onePass(at, kept({ rotation }));
    expect(record(at)?.phase).toBe('Live');
    at.vendor.fault = () => undefined;
    await settle(at, kept({ rotation }));
    expect(record(at)?.phase).toBe('Retained');
    const [after] = [...at.vendor.credentials.values()].map(({ values }) => [...values.values()]);
    expect(after).not.toEqual(before);
    expectWhole(at);
  });

  test('has no value any more that was exposed in the same moment', async () => {
    const at = await issued();
    const before = values(at);
    await be(at, kept({ rotation: leaked }));
    expect(values(at).filter((value) => before.includes(value))).toEqual([]);
    expect(record(at)?.phase).toBe('Retained');
    expectWhole(at);
  });

  test('waits with an exposed value while its spec has a fault, and says which', async () => {
    const at = await issued();
    const faulty = kept({
      rotation: leaked,
      secret: aSecretSpec({ template: { a: '{{ .nothing }}' } }),
    });
    put(at, faulty);
    const pass = await onePass(at, faulty);
    expect(record(at)?.phase).toBe('Live');
    expect(readyOf(pass)?.message).toMatch(/values are replaced.*fails: .*nothing/);
    await be(at, { ...faulty, spec: { ...faulty.spec, deletionPolicy: 'Revoke' } });
    expect(at.vendor.credentials.size).toBe(0);
  });

  test('ends where an exposed value can only be replaced by another credential, which is not made any more', async () => {
    const at = workshop('O', { store: { retention: 'Allowed' } });
    await be(at, kept({}, false));
    await be(at, kept({ rotation: leaked }));
    expect(record(at)?.phase).toBe('Ended');
    expect(at.vendor.credentials.size).toBe(0);
  });

  describe('and whose replacement was begun before its deletion', () => {
    const rotation = aRotation({ requestId: 'r1', slot: 'Secondary' });

    async function begun(): Promise<Workshop> {
      const at = await issued();
      at.vendor.fault = (call) => (call === 'regenerate' ? 'Cut' : undefined);
      put(at, kept({ rotation }, false));
      await onePass(at, kept({ rotation }, false));
      expect(record(at)?.credentials.at(-1)?.remote?.regenerating).toBeDefined();
      return at;
    }

    test('has it finished, and goes on although its Secret has gone with the namespace', async () => {
      const at = await begun();
      const before = values(at);
      at.cluster.set(SECRETS, REF, undefined);
      put(at, kept({ rotation }));
      await onePass(at, kept({ rotation }));
      expect(record(at)?.phase).toBe('Live');
      at.vendor.fault = () => undefined;
      await settle(at, kept({ rotation }));
      expect(record(at)?.phase).toBe('Retained');
      expect(values(at)).not.toEqual(before);
      expect(at.cluster.find(SECRETS, REF)).toBeUndefined();
    });

    test("has it finished, and goes on although its Secret is somebody else's by now", async () => {
      const at = await begun();
      at.cluster.set(SECRETS, REF, undefined);
      const foreign = at.cluster.set(SECRETS, REF, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { ...REF },
        data: {},
      } as Draft);
      at.vendor.fault = () => undefined;
      await be(at, kept({ rotation }));
      expect(record(at)?.phase).toBe('Retained');
      expect(at.cluster.find(SECRETS, REF)).toBe(foreign);
    });

    test('ends when the vendor has it no more: it might come back with the value that was to go', async () => {
      const at = await begun();
      at.vendor.credentials.clear();
      at.vendor.fault = () => undefined;
      await be(at, kept({ rotation }));
      expect(record(at)?.phase).toBe('Ended');
    });
  });

  test('leaves no create call open in its account while it waits, so that others can be made', async () => {
    const at = workshop('D', { store: { retention: 'Allowed' } });
    await be(at, kept({}, false));
    const rotation = aRotation({ requestId: 'r1' });
    at.vendor.fault = (call) => (call === 'create' ? 'Cut' : undefined);
    put(at, kept({ rotation }, false));
    await onePass(at, kept({ rotation }, false));
    expect(record(at)?.credentials.at(-1)?.remote?.createBegunAtMs).toBeDefined();
    at.vendor.fault = (call) => (call === 'update' ? 'Cut' : undefined);
    const going = kept({ rotation, state: 'Suspended' });
    put(at, going);
    for (let pass = 0; pass < 5; pass += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await onePass(at, going);
      at.clock.advance(MINUTE_MS);
    }
    expect(record(at)?.phase).toBe('Live');
    expect(
      record(at)?.credentials.some(
        ({ remote }) => remote?.id === undefined && remote?.createBegunAtMs !== undefined,
      ),
    ).toBe(false);
    expect(at.vendor.calls.filter((call) => call === 'create')).toHaveLength(2);
    at.vendor.fault = () => undefined;
    await settle(at, going);
    expect(record(at)).toMatchObject({ phase: 'Retained', state: 'Suspended' });
    expect(enabled(at)).toEqual([false]);
  });

  test('gets nothing new while it waits, whatever falls due meanwhile', async () => {
    const at = await issued();
    at.vendor.fault = (call) => (call === 'update' ? 'Cut' : undefined);
    const due = kept({ state: 'Suspended', rotation: aRotation({ requestId: 'r1' }) });
    put(at, due);
    const pass = await onePass(at, due);
    expect(pass.thrown).toBeUndefined();
    expect(readyOf(pass)?.message).toMatch(/told whether it is suspended/);
    expect(record(at)).toMatchObject({ sequence: 1, state: 'Suspended' });
    expect(record(at)?.credentials.at(-1)?.remote?.regenerating).toBeUndefined();
  });

  test('has the terms and the state that its spec had last', async () => {
    const at = await issued();
    await be(at, kept({ state: 'Suspended' }, false));
    expect(enabled(at)).toEqual([false]);
    const expirationTime = formatTime(at.clock.nowMs() + DAY_MS);
    await be(at, kept({ state: 'Active', terms: { validity: { expirationTime } } }));
    expect(record(at)).toMatchObject({ phase: 'Retained', state: 'Active' });
    expect(record(at)?.terms.endMs).toBe(Date.parse(expirationTime));
    expect(enabled(at)).toEqual([true]);
  });

  test('that had expired goes on where its last terms have a later end', async () => {
    const at = await issued();
    const ending = (ms: number) => ({
      validity: { expirationTime: formatTime(at.clock.nowMs() + ms) },
    });
    await be(at, kept({ terms: ending(MINUTE_MS) }, false));
    at.clock.advance(2 * MINUTE_MS);
    await be(at, kept({ terms: ending(-MINUTE_MS) }, false));
    expect(enabled(at)).toEqual([false]);
    await be(at, kept({ terms: ending(DAY_MS) }));
    expect(record(at)?.phase).toBe('Retained');
    expect(enabled(at)).toEqual([true]);
  });

  test('ends instead when its last terms are over', async () => {
    const at = await issued();
    await be(
      at,
      kept({ terms: { validity: { expirationTime: formatTime(at.clock.nowMs() - 1) } } }),
    );
    expect(record(at)?.phase).toBe('Ended');
    expect(at.vendor.credentials.size).toBe(0);
  });
});
