import { describe, expect, test } from 'vitest';
import { lookAgainAtMs } from '../../../../src/controllers/apikey/index.ts';
import { SECRETS } from '../../../../src/api/names.ts';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import type { Draft } from '../../../../src/kube/port.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import {
  aCredential,
  aDualCredential,
  anOpenCredential,
  aRecord,
  aRotation,
  aSecret,
  aSecretSpec,
  aSlot,
  aStore,
  NOW_MS,
  SEALED,
} from '../../../support/world.ts';
import { Desk, WEB } from './desk.ts';
import { asked, settled, typeOf } from './settled.ts';

describe('a Secret that is gone', () => {
  const gone = { secret: { type: 'Absent' } } as const;
  const missingSince = (sinceMs: number, change: Partial<KeyRecord> = {}) =>
    aRecord({ secret: aSecret({ missingSinceMs: sinceMs }), ...change });
  const lost = { ...gone, record: missingSince(NOW_MS - 30_000) };

  test('is noted first', () => {
    expect(typeOf(settled(gone))).toBe('NoteMissing');
  });

  test('is waited for', () => {
    expect(typeOf(settled({ ...gone, record: missingSince(NOW_MS - 29_999) }))).toBe('nothing');
  });

  test('is proven to be lost by live reads before anything is done', () => {
    expect(typeOf(settled(lost))).toBe('ProveLoss');
  });

  test('is replaced by new values', () => {
    expect(nextAction(settled({ ...lost, evidence: { lossProven: true } }))).toMatchObject({
      type: 'Rotate',
      trigger: 'SecretLost',
      oldValuesEnd: 'AtConfirm',
      lost: 'Secret',
    });
  });

  test('is made anew from the ledger where that has every value', () => {
    const record = missingSince(NOW_MS - 30_000, { credentials: [anOpenCredential()] });
    const world = settled({ ...lost, record, evidence: { lossProven: true } });
    expect(typeOf(world)).toBe('ForgetSecret');
  });

  test.each([
    ['Rotate', undefined],
    ['Wait', 'r1'],
  ] as const)(
    'is not replaced while the key is over, but by a later end, with onLoss %s and request %s',
    (wish, rotationRequest) => {
      const secret = aSecretSpec({ onLoss: wish });
      const change = { ...lost, evidence: { lossProven: true }, rotationRequest } as const;
      const validity = { expirationTime: new Date(NOW_MS).toISOString() };
      const terms = { timeZone: 'UTC', endMs: NOW_MS, cidrs: [], productRefs: [] };
      const over = { ...change, record: missingSince(NOW_MS - 30_000, { terms }) };
      expect(typeOf(asked({ secret, terms: { validity } }, over))).toBe('nothing');
      expect(typeOf(asked({ secret }, change))).toBe('Rotate');
    },
  );

  test('is left alone with onLoss Wait', () => {
    const world = asked(
      { secret: aSecretSpec({ onLoss: 'Wait' }) },
      { ...lost, evidence: { lossProven: true } },
    );
    expect(typeOf(world)).toBe('nothing');
  });

  test('is made anew with onLoss Wait, too, with values that were made and nobody has yet', () => {
    const record = missingSince(NOW_MS - 30_000, { credentials: [anOpenCredential()] });
    const wait = { secret: aSecretSpec({ onLoss: 'Wait' }) };
    const world = asked(wait, { ...lost, record, evidence: { lossProven: true } });
    expect(typeOf(world)).toBe('ForgetSecret');
  });

  test('is restored with onLoss Restore where the store keeps values', () => {
    const world = asked(
      { secret: aSecretSpec({ onLoss: 'Restore' }) },
      {
        ...lost,
        record: missingSince(NOW_MS - 30_000, {
          credentials: [aCredential({ slots: [aSlot({ sealed: SEALED })] })],
        }),
        store: aStore({ capabilities: { ...aStore().capabilities, recoverable: true } }),
        evidence: { lossProven: true },
      },
    );
    expect(typeOf(world)).toBe('ForgetSecret');
  });

  test('that came back is looked at', () => {
    const back = { type: 'Present', uid: 'secret-1', resourceVersion: '20' } as const;
    const world = settled({ record: missingSince(NOW_MS), secret: back });
    expect(typeOf(world)).toBe('InspectSecret');
  });
});

const edited = { type: 'Present', uid: 'secret-1', resourceVersion: '30' } as const;
const seen = (type: 'Intact' | 'Altered' | 'Tampered') => ({
  inspection: { type, uid: 'secret-1', resourceVersion: '30' },
});

describe('a Secret that was edited', () => {
  test('is looked at', () => {
    expect(typeOf(settled({ secret: edited }))).toBe('InspectSecret');
  });

  test('with our values whole is only noted', () => {
    const world = settled({ secret: edited, evidence: seen('Intact') });
    expect(nextAction(world)).toEqual({ type: 'NoteSecret', health: 'Intact' });
  });

  test('without our labels is repaired', () => {
    expect(typeOf(settled({ secret: edited, evidence: seen('Altered') }))).toBe('WriteSecret');
  });

  test('with other values gets new ones, while the old ones overlap', () => {
    const world = settled({ secret: edited, evidence: seen('Tampered') });
    expect(nextAction(world)).toMatchObject({
      type: 'Rotate',
      trigger: 'SecretTampered',
      oldValuesEnd: 'AtConfirm',
      lost: 'Values',
    });
  });

  test('with onLoss Wait is reported once', () => {
    const spec = { secret: aSecretSpec({ onLoss: 'Wait' }) };
    const world = asked(spec, { secret: edited, evidence: seen('Tampered') });
    expect(nextAction(world)).toEqual({ type: 'NoteSecret', health: 'Tampered' });
    const noted = aRecord({ secret: aSecret({ resourceVersion: '30', health: 'Tampered' }) });
    expect(typeOf(asked(spec, { secret: edited, record: noted }))).toBe('nothing');
  });

  test('into an object that is not ours is never touched (I8), and looked at again after a minute', () => {
    const world = settled({ secret: edited, evidence: { inspection: { type: 'Foreign' } } });
    expect(typeOf(world)).toBe('nothing');
    expect(lookAgainAtMs(world)).toBe(NOW_MS + 60_000);
  });
});

describe('with onLoss Wait', () => {
  const wait = { secret: aSecretSpec({ onLoss: 'Wait' }) };

  async function issued(format: 'Opaque' | 'Dual'): Promise<Desk> {
    const desk = new Desk();
    desk.putPlain({ format, ...wait });
    await desk.settle();
    return desk;
  }

  async function lose(desk: Desk): Promise<void> {
    desk.cluster.set(SECRETS, WEB, undefined);
    await desk.settle();
    expect(desk.ready).toMatchObject({ reason: 'SecretLost' });
  }

  test.each([
    ['of a key', 'Opaque', {}],
    ['of a Dual key', 'Dual', {}],
    ['of one value of a Dual key', 'Dual', { slot: 'Primary' }],
  ] as const)(
    'an emergency %s whose Secret was lost ends the old values and delivers the new ones',
    async (_what, format, slot) => {
      const desk = await issued(format);
      const { value } = desk;
      await lose(desk);
      const rotation = aRotation({ requestId: 'r1', urgency: 'Emergency', ...slot });
      desk.putPlain({ format, ...wait, rotation });
      await desk.settle();
      expect(desk.ready).toMatchObject({ status: 'True' });
      expect([desk.admits(value), desk.admits(desk.value)]).toEqual([false, true]);
    },
  );

  test('an emergency of one value makes new ones of all where the Secret no longer holds the other', () => {
    const dual = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    const one = { rotation: aRotation({ requestId: 'r1', slot: 'Primary', urgency: 'Emergency' }) };
    const begun = (secret: ReturnType<typeof aSecret>, change: Partial<World> = {}) =>
      typeOf(
        asked(
          { ...wait, ...one },
          { record: { ...dual, secret }, rotationRequest: 'r1', ...change },
        ),
      );
    expect(begun(aSecret())).toBe('Regenerate');
    expect(begun(aSecret({ missingSinceMs: NOW_MS }))).toBe('Rotate');
    expect(begun(aSecret(), { secret: { type: 'Absent' } })).toBe('Rotate');
    expect(begun(aSecret({ health: 'Tampered' }))).toBe('Rotate');
  });

  test('an emergency of one value looks first at a Secret of which nobody knows that it holds the other', () => {
    const record = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    const rotation = aRotation({ requestId: 'r1', slot: 'Primary', urgency: 'Emergency' });
    const begun = (change: Partial<World>) =>
      typeOf(asked({ ...wait, rotation }, { record, rotationRequest: 'r1', ...change }));
    expect(begun({})).toBe('Regenerate');
    expect(begun({ secret: { type: 'Unwatched' } })).toBe('InspectSecret');
    expect(begun({ secret: edited })).toBe('InspectSecret');
    expect(begun({ secret: edited, evidence: seen('Intact') })).toBe('Regenerate');
    expect(begun({ secret: edited, evidence: seen('Tampered') })).toBe('Rotate');
    expect(begun({ evidence: { inspection: { type: 'Absent' } } })).toBe('Rotate');
  });

  test('an emergency of one value delivers all that work, also where an edit had dropped the other unnoticed', async () => {
    const desk = await issued('Dual');
    const before = desk.entries;
    const { data, ...rest } = desk.cluster.find(SECRETS, WEB) as { data: object } & Draft;
    const edited = { ...data, secondaryKey: btoa('mine') };
    desk.cluster.set(SECRETS, WEB, { ...rest, data: edited } as Draft);
    const rotation = aRotation({ requestId: 'r1', slot: 'Primary', urgency: 'Emergency' });
    desk.putPlain({ format: 'Dual', ...wait, rotation });
    await desk.settle();
    expect(desk.ready).toMatchObject({ status: 'True' });
    const admitted = (entries: Desk['entries']) =>
      ['primaryKey', 'secondaryKey'].map((name) => desk.admits(entries?.[name] ?? ''));
    expect(admitted(before)).toEqual([false, false]);
    expect(admitted(desk.entries)).toEqual([true, true]);
  });

  test('an emergency of one value leaves the other as it is where an edit left both alone', async () => {
    const desk = await issued('Dual');
    const before = desk.entries;
    const { metadata, ...rest } = desk.cluster.find(SECRETS, WEB) as Draft;
    const labels = { ...metadata.labels, team: 'a' };
    desk.cluster.set(SECRETS, WEB, { ...rest, metadata: { ...metadata, labels } } as Draft);
    const rotation = aRotation({ requestId: 'r1', slot: 'Primary', urgency: 'Emergency' });
    desk.putPlain({ format: 'Dual', ...wait, rotation });
    await desk.settle();
    expect(desk.ready).toMatchObject({ status: 'True' });
    expect(desk.entries?.['secondaryKey']).toBe(before?.['secondaryKey']);
    expect(desk.entries?.['primaryKey']).not.toBe(before?.['primaryKey']);
    expect(desk.admits(before?.['primaryKey'] ?? '')).toBe(false);
  });

  test('a Secret that was made immutable during a rotation is made anew once it is deleted', async () => {
    const desk = await issued('Opaque');
    const secret = desk.cluster.find(SECRETS, WEB) as unknown as Draft;
    desk.cluster.set(SECRETS, WEB, { ...secret, immutable: true } as Draft);
    desk.putPlain({ ...wait, rotation: aRotation({ requestId: 'r1' }) });
    await expect(desk.pass()).rejects.toMatchObject({ reason: 'SecretImmutable' });
    desk.cluster.set(SECRETS, WEB, undefined);
    await desk.settle();
    expect(desk.ready?.status).not.toBe('False');
    expect(desk.admits(desk.value)).toBe(true);
  });
});

describe('with onLoss Restore, of a key that is older than the recovery of its store,', () => {
  const secret = aSecretSpec({ onLoss: 'Restore' });

  /** Issued while no copies were kept; by now they are. */
  async function hashOnly(): Promise<Desk> {
    const desk = new Desk();
    desk.putPlain();
    await desk.settle();
    desk.store = {
      ...desk.store,
      capabilities: { ...desk.store.capabilities, recoverable: true },
    };
    desk.putPlain({ secret });
    await desk.settle();
    expect(desk.ready).toMatchObject({ status: 'True' });
    return desk;
  }

  function edit(desk: Desk, entries: Readonly<Record<string, string>>): void {
    const { data, ...rest } = desk.cluster.find(SECRETS, WEB) as { data: object } & Draft;
    const edited = Object.entries(entries).map(([name, text]) => [name, btoa(text)]);
    const { annotations: _, ...metadata } = rest.metadata;
    const next = { ...data, ...Object.fromEntries(edited) };
    desk.cluster.set(SECRETS, WEB, { ...rest, metadata, data: next });
  }

  async function expectLost(desk: Desk, what: RegExp): Promise<void> {
    await desk.settle();
    const { sequence, revision } = desk.record!;
    expect(desk.ready).toMatchObject({ status: 'False', reason: 'SecretLost' });
    expect(desk.ready?.message).toMatch(what);
    // One look whether it is back or whole again, and nothing committed.
    expect([['ProveLoss'], ['WriteSecret']]).toContainEqual(await desk.pass());
    expect(desk.record).toMatchObject({ sequence, revision });
  }

  test('a Secret that was deleted is told to be lost, with what to do, until somebody asks for new values', async () => {
    const desk = await hashOnly();
    desk.cluster.set(SECRETS, WEB, undefined);
    await expectLost(desk, /deleted; no copy .*onLoss to Rotate.* spec\.rotation\.requestId/);
    desk.putPlain({ secret, rotation: aRotation({ requestId: 'r1' }) });
    await desk.settle();
    expect(desk.ready).toMatchObject({ status: 'True' });
    expect(desk.admits(desk.value)).toBe(true);
  });

  test('a Secret whose value was overwritten is told to be lost, too, until somebody asks for new values', async () => {
    const desk = await hashOnly();
    edit(desk, { apiKey: 'mine' });
    await expectLost(desk, /edited .*; no copy .*onLoss to Rotate.* spec\.rotation\.requestId/);
    desk.putPlain({ secret });
    await desk.settle();
    expect(desk.ready).toMatchObject({ reason: 'SecretLost' });
    desk.putPlain({ secret: aSecretSpec() });
    await desk.settle();
    expect(desk.ready).toMatchObject({ status: 'True' });
    expect(desk.admits(desk.value)).toBe(true);
  });

  test('a Secret that still holds the value is put right', async () => {
    const desk = await hashOnly();
    const before = desk.entries;
    edit(desk, { provider: 'mine' });
    await desk.settle();
    expect(desk.entries).toEqual(before);
    expect(desk.ready).toMatchObject({ status: 'True' });
  });

  test('a Secret without the value before the last is told to be lost, and whole again when it is deleted', async () => {
    const desk = await hashOnly();
    desk.putPlain({ secret, rotation: aRotation({ requestId: 'r1' }) });
    await desk.pass();
    const { value } = desk;
    expect(desk.record?.sequence).toBe(2);
    edit(desk, { apiKey: 'mine', previousApiKey: 'mine' });
    await desk.pass();
    await desk.pass();
    expect(desk.ready).toMatchObject({ reason: 'SecretLost' });
    expect(desk.ready?.message).toMatch(/delete it/);
    desk.cluster.set(SECRETS, WEB, undefined);
    await desk.settle();
    expect(desk.value).toBe(value);
    expect(desk.ready?.status).not.toBe('False');
  });
});
