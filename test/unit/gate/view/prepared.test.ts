import { describe, expect, it } from 'vitest';
import { prepareKey } from '../../../../src/gate/view/prepared.ts';
import { joinDigests } from '../../../../src/keys/digest.ts';
import { issueKey } from '../../../support/gate.keys.ts';

describe('a record as the gate keeps it', () => {
  it('has bytes of its own, and does not hold what the database read with them', () => {
    const { record } = issueKey('a', { format: 'KeyPair' });
    const whole = Buffer.alloc(65_536);
    const [credential] = record.credentials;
    const [slot] = credential!.slots;
    whole.set(slot!.digest, 1_000);
    whole.set(slot!.sealed!.blob, 2_000);
    const digest = whole.subarray(1_000, 1_032);
    const sealed = { version: 1, blob: whole.subarray(2_000, 2_000 + slot!.sealed!.blob.length) };
    const slots = [{ ...slot!, digest, sealed }];
    const key = prepareKey({ ...record, credentials: [{ ...credential!, slots }] });
    const [prepared] = key.credentials;
    expect(prepared!.digests).toBe(joinDigests([slot!.digest]));
    const { blob } = prepared!.signing!.sealed;
    expect(Buffer.from(blob)).toEqual(Buffer.from(slot!.sealed!.blob));
    expect(blob.buffer.byteLength).toBe(slot!.sealed!.blob.length);
  });

  it('keeps sealed secrets of pairs only, which sign', () => {
    const { record } = issueKey('a');
    const [credential] = record.credentials;
    const sealed = { version: 1, blob: new Uint8Array(72) };
    const slots = [{ ...credential!.slots[0]!, sealed }];
    const key = prepareKey({ ...record, credentials: [{ ...credential!, slots }] });
    expect(key.credentials[0]!.signing).toBeUndefined();
  });

  it('of a key that is ending is revoked, and grants nothing that was not granted', () => {
    const terms = { timeZone: 'UTC', cidrs: [], productRefs: ['maps'] };
    const ending = prepareKey(issueKey('a', { phase: 'Ending', terms }).record);
    expect(ending.state).toBe('Revoked');
    expect(ending.terms.productRefs.size).toBe(0);
    const counted = { ...terms, quota: { requests: 9, period: 'Day', timeZone: 'UTC' } } as const;
    const granted = issueKey('a', { terms: counted, grant: { formUid: 'f', round: 3 } }).record;
    const key = prepareKey({ ...granted, application: 'form' });
    expect([...key.terms.productRefs]).toEqual(['maps']);
    expect(key).toMatchObject({ state: 'Active', quotaSubject: 'grant/f/3', application: 'form' });
  });
});
