import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../../src/ledger/record.ts';
import {
  CREDENTIAL_CONTENT,
  CREDENTIAL_IDENTITY,
  decodeRecord,
  encodeRecord,
  KEY_CONTENT,
  KEY_IDENTITY,
  SLOT_COLUMNS,
  type StoredRecord,
} from '../../../src/ledger/rows.ts';

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const blob = fc.uint8Array({ minLength: 1, maxLength: 40 });

const slot: fc.Arbitrary<SlotRecord> = fc.record(
  {
    name: fc.constantFrom('apiKey', 'primaryKey', 'secondaryKey', 'apiSecret'),
    role: fc.constantFrom('Active', 'Standby', 'Next'),
    generation: count,
    digest: blob,
    pepperVersion: count,
    sealed: fc.record({ version: count, blob }),
    rotatedAtMs: count,
    retireAtMs: count,
  },
  { requiredKeys: ['name', 'role', 'generation', 'digest', 'pepperVersion', 'rotatedAtMs'] },
);

const credential: fc.Arbitrary<CredentialRecord> = fc.record(
  {
    token: fc.string(),
    sequence: count,
    attempt: count,
    keyId: fc.string(),
    hint: fc.string(),
    state: fc.constantFrom('Intent', 'Sealed', 'Active', 'Retiring', 'Disabled', 'Unknown'),
    origin: fc.constantFrom('Issued', 'Imported'),
    slots: fc.array(slot, { maxLength: 2 }),
    createdAtMs: count,
    retireAtMs: count,
    overlapEndMs: count,
    valueLost: fc.constant(true),
    remote: fc.record(
      {
        account: fc.string(),
        id: fc.string(),
        createBegunAtMs: count,
        idsBefore: fc.array(fc.string(), { maxLength: 3 }),
        enabled: fc.boolean(),
        doomedAtMs: count,
        facts: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
      },
      { requiredKeys: ['account', 'facts'] },
    ),
  },
  {
    requiredKeys: [
      'token',
      'sequence',
      'attempt',
      'keyId',
      'hint',
      'state',
      'origin',
      'slots',
      'createdAtMs',
    ],
  },
);

const secret = fc.record(
  {
    name: fc.string(),
    uid: fc.string(),
    resourceVersion: fc.string(),
    fingerprint: fc.string(),
    shape: fc.string(),
    health: fc.constantFrom('Intact' as const, 'Tampered' as const),
    missingSinceMs: count,
  },
  { requiredKeys: ['name', 'uid', 'resourceVersion', 'fingerprint', 'shape', 'health'] },
);

const record: fc.Arbitrary<KeyRecord> = fc
  .record({
    words: fc.array(fc.string(), { minLength: 4, maxLength: 4 }),
    revision: count,
    phase: fc.constantFrom<KeyRecord['phase'][]>('Live', 'Retained', 'Ending', 'Ended'),
    state: fc.constantFrom<KeyRecord['state'][]>('Active', 'Suspended', 'Revoked'),
    format: fc.constantFrom<KeyRecord['format'][]>('Opaque', 'Dual', 'KeyPair'),
    credentials: fc.array(credential, { maxLength: 3 }),
    secret: fc.option(secret, { nil: undefined }),
    request: fc.option(fc.string(), { nil: undefined }),
    grant: fc.option(fc.record({ formUid: fc.string(), round: count }), { nil: undefined }),
    clientUid: fc.option(fc.string(), { nil: undefined }),
    rollout: fc.option(
      fc.record(
        { told: fc.string(), sinceMs: count, recentMs: fc.array(count, { maxLength: 3 }) },
        { requiredKeys: ['told'], noNullPrototype: true },
      ),
      { nil: undefined },
    ),
    endMs: count,
  })
  .map(({ words: [clusterId = '', uid = '', namespace = '', name = ''], ...rest }) => ({
    clusterId,
    uid,
    namespace,
    name,
    revision: rest.revision,
    phase: rest.phase,
    state: rest.state,
    store: { kind: 'KeyStore', name: 'default', uid: 'store', incarnation: 2 },
    format: rest.format,
    terms: { timeZone: 'Asia/Seoul', endMs: rest.endMs, cidrs: [], productRefs: ['maps'] },
    firstIssuedMs: 1,
    sequence: 3,
    credentials: rest.credentials,
    ...(rest.secret === undefined ? {} : { secret: rest.secret }),
    ...(rest.request === undefined ? {} : { lastRotationRequestId: rest.request }),
    ...(rest.grant === undefined ? {} : { grant: rest.grant }),
    ...(rest.clientUid === undefined ? {} : { clientUid: rest.clientUid }),
    ...(rest.rollout === undefined ? {} : { rollout: rest.rollout }),
  }));

function store(of: KeyRecord): StoredRecord {
  const { identity, content, credentials } = encodeRecord(of);
  return {
    key: [...identity, ...content, of.revision],
    credentials: credentials.map((rows) => ({
      row: [...rows.identity, ...rows.content],
      slots: rows.slots,
    })),
  };
}

describe('A record as rows', () => {
  it('comes back as it was, whatever it holds', () => {
    fc.assert(
      fc.property(record, (sample) => {
        expect(decodeRecord(store(sample))).toEqual(sample);
      }),
    );
  });

  it('has one value per column', () => {
    fc.assert(
      fc.property(record, (sample) => {
        const { identity, content, credentials } = encodeRecord(sample);
        expect(identity).toHaveLength(KEY_IDENTITY.length);
        expect(content).toHaveLength(KEY_CONTENT.length);
        for (const rows of credentials) {
          expect(rows.identity).toHaveLength(CREDENTIAL_IDENTITY.length);
          expect(rows.content).toHaveLength(CREDENTIAL_CONTENT.length);
          for (const row of rows.slots) expect(row).toHaveLength(SLOT_COLUMNS.length);
        }
      }),
    );
  });

  it('carries no bytes of the pool around a small Buffer to the other thread', () => {
    const [sample] = fc.sample(record, 1);
    const [ours] = fc.sample(credential, 1);
    const [slots] = fc.sample(slot, 1);
    if (sample === undefined || ours === undefined || slots === undefined)
      throw new Error('no sample');
    const pooled = Buffer.from('digest');
    expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.byteLength);
    const credentials = [{ ...ours, slots: [{ ...slots, digest: pooled }] }];
    const digest = encodeRecord({ ...sample, credentials }).credentials[0]?.slots[0]?.[3];
    expect(digest).toBeInstanceOf(Uint8Array);
    expect(digest instanceof Uint8Array && digest.buffer.byteLength).toBe(pooled.byteLength);
  });

  it('is refused as damaged when a column holds something else', () => {
    fc.assert(
      fc.property(record, fc.nat({ max: KEY_IDENTITY.length }), (sample, column) => {
        const { key, credentials } = store(sample);
        const broken = key.map((value, index) => (index === column ? new Uint8Array(1) : value));
        expect(() => decodeRecord({ key: broken, credentials })).toThrow('does not have the shape');
      }),
    );
  });
});
