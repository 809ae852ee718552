import { describe, expect, test } from 'vitest';
import { lookAgainAtMs } from '../../../../src/controllers/apikey/index.ts';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import {
  anOpenCredential,
  aRecord,
  aSecret,
  aSecretSpec,
  aStore,
  NOW_MS,
} from '../../../support/world.ts';
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

  test('is left alone with onLoss Wait', () => {
    const world = asked(
      { secret: aSecretSpec({ onLoss: 'Wait' }) },
      { ...lost, evidence: { lossProven: true } },
    );
    expect(typeOf(world)).toBe('nothing');
  });

  test('is restored with onLoss Restore where the store keeps values', () => {
    const world = asked(
      { secret: aSecretSpec({ onLoss: 'Restore' }) },
      {
        ...lost,
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

describe('a Secret that was edited', () => {
  const edited = { type: 'Present', uid: 'secret-1', resourceVersion: '30' } as const;
  const seen = (type: 'Intact' | 'Altered' | 'Tampered') => ({
    inspection: { type, uid: 'secret-1', resourceVersion: '30' },
  });

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
