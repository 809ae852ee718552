/** What a person decides is looked at before it is believed, and nothing of anybody else is taken. */
import { describe, expect, test } from 'vitest';
import { nextAction } from '../../../../../src/controllers/apikey/plan.ts';
import {
  resolve,
  type Decision,
  type ResolveDeps,
} from '../../../../../src/controllers/apikey/remote/resolve.ts';
import { classify } from '../../../../../src/kernel/errors.ts';
import { Sensitive } from '../../../../../src/kernel/sensitive.ts';
import { parseKeyring } from '../../../../../src/keys/keyring.ts';
import type { CredentialState, KeyRecord } from '../../../../../src/ledger/record.ts';
import type { AuditEntry } from '../../../../../src/ledger/port.ts';
import { clusterMark } from '../../../../../src/stores/mark.ts';
import { FakeClock } from '../../../../support/clock.ts';
import { MemoryLedger } from '../../../../support/memory.ts';
import { MemoryVendor } from '../../../../support/vendor.ts';
import { aCredential, aKey, aRecord, aStore, aWorld } from '../../../../support/world.ts';
import { seeded } from '../../../keys/seeded.ts';

const SIGNAL = new AbortController().signal;
const KEYRING = parseKeyring(new Sensitive(`v1:${seeded('master')(32).toString('base64')}`));
const FORMATS = { M: 'Dual', D: 'KeyPair', O: 'Opaque' } as const;

class Stage {
  readonly clock = new FakeClock();
  readonly ledger = new MemoryLedger();
  readonly vendor: MemoryVendor;
  readonly audits: AuditEntry[] = [];
  record: KeyRecord;

  constructor(
    driverClass: 'M' | 'D' | 'O',
    state: CredentialState,
    origin: 'Issued' | 'Imported' = 'Issued',
  ) {
    this.vendor = new MemoryVendor(driverClass, this.clock);
    const remote = { account: 'account-1', facts: {}, createBegunAtMs: 1 };
    const credential = aCredential({ token: 'a'.repeat(26), state, origin, slots: [], remote });
    const format = FORMATS[driverClass];
    this.record = aRecord({ revision: 1, format, credentials: [credential] });
    this.ledger.records.set(this.record.uid, this.record);
  }

  async decide(decision: Decision): Promise<string> {
    const { port } = this.ledger;
    const deps: ResolveDeps = {
      ledger: {
        ...port,
        commit: (commit) => {
          this.audits.push(commit.audit);
          return port.commit(commit);
        },
      },
      keyring: KEYRING,
      entropy: seeded('resolve'),
      clock: this.clock,
      epoch: () => 1,
      clusterId: 'cluster-1',
      session: async () => ({
        handle: this.vendor.handle(),
        account: await this.vendor.login(),
        remote: this.vendor,
        prove: async () => undefined,
        exclusively: (work) => work(),
      }),
    };
    const by = { decision, actor: 'command line: alice' };
    return resolve(deps, this.record, by, SIGNAL).catch((error: unknown) => classify(error).reason);
  }

  get credential() {
    return this.ledger.records.get(this.record.uid)?.credentials[0];
  }
}

describe('--adopt', () => {
  test.each(['M', 'D'] as const)('takes the values over, sealed, class %s', async (driverClass) => {
    const stage = new Stage(driverClass, 'Ambiguous');
    const { id, values } = stage.vendor.plant();
    expect(await stage.decide({ type: 'Adopt', id })).toContain('taken over');
    expect(stage.credential).toMatchObject({ state: 'Sealed', remote: { id } });
    expect(stage.credential?.slots.map(({ name }) => name)).toEqual([...values.keys()]);
    expect(stage.credential?.slots.every(({ sealed }) => sealed !== undefined)).toBe(true);
    expect(stage.audits).toMatchObject([
      { action: 'RemoteResolved', actor: 'command line: alice', facts: { remoteId: id } },
    ]);
    const text = JSON.stringify(stage.audits);
    for (const value of values.values()) expect(text).not.toContain(value);
  });

  test("refuses another key's id and does not say whose it is (B12)", async () => {
    const stage = new Stage('D', 'Ambiguous');
    const { id } = stage.vendor.plant();
    const remote = { account: 'account-1', facts: {}, id };
    const owner = aRecord({
      uid: 'uid-2',
      name: 'owner',
      revision: 0,
      credentials: [aCredential({ token: 'b'.repeat(26), keyId: 'other', remote })],
    });
    const audit = { action: 'Test', actor: 'test', atMs: 0, facts: {} };
    await stage.ledger.port.commit({ record: owner, expectedRevision: 0, epoch: 1, audit });
    expect(await stage.decide({ type: 'Adopt', id })).toBe('IdTaken');
    expect([stage.audits, stage.credential?.state]).toEqual([[], 'Ambiguous']);
  });

  test.each(['cluster-1', 'cluster-2'])(
    'refuses one that bears the mark of another key (%s)',
    async (clusterId) => {
      const stage = new Stage('M', 'Unknown');
      const cluster = clusterMark(clusterId);
      const { id } = stage.vendor.plantMarked({ cluster, token: 'c'.repeat(26), attempt: 1 });
      expect(await stage.decide({ type: 'Adopt', id })).toBe('IdTaken');
    },
  );

  test('refuses an id that the account does not have', async () => {
    expect(await new Stage('M', 'Unknown').decide({ type: 'Adopt', id: 'nobody' })).toBe(
      'IdNotFound',
    );
  });

  test('refuses when the store leads to another account', async () => {
    const stage = new Stage('M', 'Unknown');
    const { id } = stage.vendor.plant();
    stage.vendor.account = 'account-2';
    expect(await stage.decide({ type: 'Adopt', id })).toBe('OwnershipMismatch');
  });

  test('refuses where values are shown once only', async () => {
    const stage = new Stage('O', 'Blocked');
    const { id } = stage.vendor.plant();
    expect(await stage.decide({ type: 'Adopt', id })).toBe('ValuesNotShown');
  });

  test.each([' id-1', 'id-1\n', 'ïd', '', 'x'.repeat(300)])(
    'refuses %j, which is no id (B11)',
    async (id) => {
      const stage = new Stage('M', 'Unknown');
      expect(await stage.decide({ type: 'Adopt', id })).toBe('IdInvalid');
      expect(stage.vendor.calls).toEqual([]);
    },
  );
});

describe('--none', () => {
  test.each(['Ambiguous', 'Unknown', 'Blocked'] as const)('begins anew from %s', async (state) => {
    const stage = new Stage('D', state);
    expect(await stage.decide({ type: 'None' })).toContain('a new key is made');
    expect(stage.credential).toMatchObject({ state: 'Intent', attempt: 1 });
    expect(stage.credential?.remote?.createBegunAtMs).toBeUndefined();
    expect(stage.audits).toMatchObject([{ facts: { decision: 'None' } }]);
  });

  test('does not turn an import into a new key', async () => {
    const stage = new Stage('M', 'Unknown', 'Imported');
    expect(await stage.decide({ type: 'None' })).toBe('ImportPending');
  });
});

test.each(['Intent', 'Sealed', 'Active', 'Disabled'] as const)(
  'a credential in state %s waits for no decision',
  async (state) => {
    const stage = new Stage('M', state);
    expect(await stage.decide({ type: 'None' })).toBe('NothingToResolve');
    expect(await stage.decide({ type: 'Adopt', id: 'id-1' })).toBe('NothingToResolve');
  },
);

describe('a key that is gone, of which nobody knows whether the vendor has something', () => {
  function gone(): Stage {
    const stage = new Stage('D', 'Disabled');
    stage.record = { ...stage.record, phase: 'Ended' };
    stage.ledger.records.set(stage.record.uid, stage.record);
    return stage;
  }

  test('is forgotten when a person says that there is nothing', async () => {
    const stage = gone();
    expect(await stage.decide({ type: 'None' })).toContain('nothing is owed');
    expect(stage.credential).toBeUndefined();
    expect(stage.audits).toMatchObject([{ actor: 'command line: alice' }]);
  });

  test('is ended at the vendor when a person names it, and not before it was looked at', async () => {
    const stage = gone();
    const { id } = stage.vendor.plant();
    expect(await stage.decide({ type: 'Adopt', id: 'nobody' })).toBe('IdNotFound');
    expect(await stage.decide({ type: 'Adopt', id })).toContain('is ended');
    expect(stage.credential).toMatchObject({ state: 'Disabled', remote: { id } });
  });
});

test('a credential that a living key has given up, one of several, is settled as well', async () => {
  const stage = new Stage('D', 'Disabled');
  const credentials = stage.record.credentials.map((each) => ({
    ...each,
    ...(each.remote === undefined ? {} : { remote: { ...each.remote, candidates: ['a', 'b'] } }),
  }));
  stage.record = { ...stage.record, credentials };
  stage.ledger.records.set(stage.record.uid, stage.record);
  expect(await stage.decide({ type: 'None' })).toContain('nothing is owed');
  expect(stage.credential).toBeUndefined();
});

describe('an ApiKey that waits for an import', () => {
  const vendor = new MemoryVendor('M', new FakeClock());
  const handle = vendor.handle();
  const { capabilities, defaultFormat } = handle;
  const store = aStore({ capabilities, defaultFormat, remote: handle });

  test('has nothing made at the vendor', () => {
    const { record } = new Stage('M', 'Intent', 'Imported');
    const fresh = record.credentials.map((each) => ({
      ...each,
      remote: { account: 'account-1', facts: {} },
    }));
    const world = aWorld({
      key: aKey({ isImport: true }),
      store,
      record: { ...record, credentials: fresh },
    });
    expect(nextAction(world)).toEqual({
      type: 'Remote',
      step: { type: 'Stop', sequence: 1, state: 'Unknown' },
    });
  });

  test('gets the key that a person names, and is of that origin', async () => {
    const stage = new Stage('M', 'Unknown', 'Imported');
    const { id } = stage.vendor.plant();
    await stage.decide({ type: 'Adopt', id });
    expect(stage.credential).toMatchObject({ state: 'Sealed', origin: 'Imported' });
    expect(stage.audits).toMatchObject([{ action: 'RemoteImported' }]);
  });
});
