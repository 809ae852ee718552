/**
 * What gates promise on a real database, with its operator beside them. Run it with
 * `describeGate('SQLite', () => createHarness())`.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../src/gate/call.ts';
import { createGate, type Gate, type GateSettings } from '../../src/gate/gate.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { createRegistry } from '../../src/kernel/metrics.ts';
import type { Documents } from '../../src/ledger/documents.ts';
import { openArchive, openGateLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { markRestored } from '../../src/ledger/restore.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { eventually } from '../support/eventually.ts';
import { aKeyring, issueKey, KEY_FILE, type IssuedKey } from '../support/gate.keys.ts';
import { aWaitingKey, foreignTexts, importInto } from '../support/imports.ts';
import { anEntry, CLUSTER, EPOCH } from './ledger.records.ts';

/** One database with its operator. */
export type GateSite = {
  readonly url: string;
  open(): Promise<Ledger>;
  /** Closes what is open and removes the database. */
  remove(): Promise<void>;
};

const TERMS: KeyRecord['terms'] = { timeZone: 'UTC', cidrs: [], productRefs: [] };
const SETTINGS: GateSettings = {
  maxStalenessMs: 15_000,
  replicas: 3,
  recordsMax: 1_000,
  unlisted: 'allow',
  phpDates: false,
};

function withQuota(requests: number): Partial<KeyRecord> {
  return { terms: { ...TERMS, quota: { requests, period: 'Lifetime', timeZone: 'UTC' } } };
}

function showing(value: string, changes: Partial<Call> = {}): Call {
  const credential = { type: 'Value', value } as const;
  return { credential, profile: 'Keyward', target: '/', isSpoofed: false, ...changes };
}

async function causeOf(gate: Gate, call: Call): Promise<string> {
  const decision = await gate.decide(call);
  return decision.type === 'Refused' ? decision.refusal.cause : decision.type;
}

export function describeGate(name: string, createSite: () => Promise<GateSite>): void {
  let site: GateSite;
  let ledger: Ledger;
  const gates = new Set<Gate>();

  function aGate(changes: Partial<GateSettings> = {}): Gate {
    const gate = createGate({
      settings: { ...SETTINGS, ...changes },
      open: () => openGateLedger(site.url),
      keyring: aKeyring(),
      clock: systemClock,
      entropy: randomBytes,
      log: silentLogger,
      registry: createRegistry(),
    });
    gate.start();
    gates.add(gate);
    return gate;
  }

  const url = (): string => site.url;

  async function readyGate(changes: Partial<GateSettings> = {}): Promise<Gate> {
    const gate = aGate(changes);
    await eventually(() => expect(gate.failing()).toBeUndefined());
    return gate;
  }

  async function commit(record: KeyRecord): Promise<KeyRecord> {
    const { revision } = record;
    const result = await ledger.commit({
      record,
      expectedRevision: revision,
      epoch: EPOCH,
      audit: anEntry(),
    });
    if (result.type !== 'Committed') throw new Error(`the commit was ${result.type}`);
    return result.record;
  }

  async function issue(uid: string, changes: Partial<KeyRecord> = {}): Promise<IssuedKey> {
    const key = issueKey(uid, { clusterId: CLUSTER, ...changes });
    return { ...key, record: await commit(key.record) };
  }

  async function document<K extends 'Client' | 'Hold' | 'Product'>(
    kind: K,
    uid: string,
    changes: Partial<Documents[K]>,
  ): Promise<void> {
    const before = await ledger.loadDocument(kind, uid);
    const expectedRevision = before?.revision ?? 0;
    const head = { clusterId: CLUSTER, uid, namespace: '', name: uid, revision: 0, phase: 'Live' };
    const change = { kind, document: { ...head, ...changes }, expectedRevision } as never;
    await ledger.commitDocuments({ changes: [change], epoch: EPOCH, audit: anEntry() });
  }

  beforeEach(async () => {
    site = await createSite();
    ledger = await site.open();
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'operator-0');
    await ledger.rememberVersion(1, aKeyring().checkValue(1));
  });

  afterEach(async () => {
    await Promise.all([...gates].map((gate) => gate.stop()));
    gates.clear();
    await site.remove();
  });

  describe(`gates on ${name}`, () => {
    it('let in a key that is issued while they run, and refuse it when it is revoked', async () => {
      const all = await Promise.all([readyGate(), readyGate()]);
      const { record, value } = await issue('a');
      for (const gate of all) {
        await eventually(async () => expect(await causeOf(gate, showing(value))).toBe('Allowed'));
      }
      await commit({ ...record, state: 'Revoked' });
      for (const gate of all) {
        await eventually(async () =>
          expect(await causeOf(gate, showing(value))).toBe('KeyRevoked'),
        );
      }
    });

    it.each(['Opaque', 'Dual'] as const)(
      'let in values that were imported while they run, of format %s, and nothing like them',
      async (format) => {
        const gate = await readyGate();
        const other = await readyGate();
        const texts = foreignTexts(format);
        const record = await commit(aWaitingKey('a', { clusterId: CLUSTER, format }));
        for (const text of texts) expect(await causeOf(gate, showing(text))).toBe('MalformedKey');
        await importInto({ ledger, keyring: aKeyring(), epoch: EPOCH }, record, texts);
        for (const each of [gate, other]) {
          for (const text of [...texts, ...texts]) {
            await eventually(async () =>
              expect(await causeOf(each, showing(text))).toBe('Allowed'),
            );
            expect(await causeOf(each, showing(`${text}x`))).toBe('MalformedKey');
            expect(await causeOf(each, showing(text.slice(1)))).toBe('MalformedKey');
            expect(await causeOf(each, showing(text.toLowerCase()))).toBe('MalformedKey');
          }
        }
        const late = await readyGate();
        for (const text of texts) expect(await causeOf(late, showing(text))).toBe('Allowed');
        const { record: stored } = await ledger.load('a', { namespace: '', name: '' });
        if (stored === undefined) throw new Error('it is there');
        await commit({ ...stored, state: 'Suspended' });
        const become = (text: string, cause: string) =>
          eventually(async () => expect(await causeOf(gate, showing(text))).toBe(cause));
        for (const text of texts) await become(text, 'KeySuspended');
        await commit({ ...stored, revision: stored.revision + 1, credentials: [] });
        // Its holder hears that it ended, nobody else does.
        for (const text of texts) await become(text, 'ValueReplaced');
      },
    );

    it('know an imported pair by both halves and by its signature, once (R64)', async () => {
      const gate = await readyGate();
      const [apiKey = '', apiSecret = ''] = foreignTexts('KeyPair');
      const record = await commit(aWaitingKey('a', { clusterId: CLUSTER, format: 'KeyPair' }));
      await importInto({ ledger, keyring: aKeyring(), epoch: EPOCH }, record, [apiKey, apiSecret]);
      const pair = (secret: string): Call =>
        showing('', { credential: { type: 'Pair', apiKey, apiSecret: secret } });
      await eventually(async () => expect(await causeOf(gate, pair(apiSecret))).toBe('Allowed'));
      expect(await causeOf(gate, pair(`${apiSecret}A`))).toBe('WrongSecret');
      expect(await causeOf(gate, showing(apiSecret))).toBe('MalformedKey');
      expect(await causeOf(gate, showing(apiKey))).toBe('MalformedKey');
      const signing = (secret: string): Call => {
        const date = new Date().toISOString();
        const salt = randomBytes(8).toString('hex');
        const signature = createHmac('sha256', secret)
          .update(date + salt)
          .digest('hex');
        const algorithm = 'SHA256';
        return showing('', {
          credential: { type: 'Signed', algorithm, apiKey, date, salt, signature },
        });
      };
      const call = signing(apiSecret);
      expect(await causeOf(gate, call)).toBe('Allowed');
      expect(await causeOf(gate, call)).toBe('SignatureReplayed');
      // Under the name that every key has, which is public, it is the same signature.
      const { keyId = '' } = record.credentials.at(-1) ?? {};
      const renamed = { ...call.credential, apiKey: `kw_${keyId}` } as Call['credential'];
      expect(await causeOf(gate, { ...call, credential: renamed })).toBe('SignatureReplayed');
      expect(await causeOf(gate, signing('guess'))).toBe('WrongSignature');
    });

    it('find values that were imported under an earlier master key, and later ones', async () => {
      const later = `${KEY_FILE}v2:${Buffer.from([...Array(32).keys()].toReversed()).toString('base64')}\n`;
      const both = aKeyring(later);
      const into = { ledger, epoch: EPOCH };
      const [before = ''] = foreignTexts('Opaque');
      const [after = ''] = foreignTexts('Opaque');
      const a = await commit(aWaitingKey('a', { clusterId: CLUSTER }));
      await importInto({ ...into, keyring: aKeyring() }, a, [before]);
      const b = await commit(aWaitingKey('b', { clusterId: CLUSTER }));
      // Nobody imports it again under the new one.
      await expect(importInto({ ...into, keyring: both }, b, [before])).rejects.toMatchObject({
        reason: 'ValueKnown',
      });
      await importInto({ ...into, keyring: both }, b, [after]);
      const gate = createGate({
        settings: SETTINGS,
        open: () => openGateLedger(url()),
        keyring: both,
        clock: systemClock,
        entropy: randomBytes,
        log: silentLogger,
        registry: createRegistry(),
      });
      gate.start();
      gates.add(gate);
      for (const text of [before, after]) {
        await eventually(async () => expect(await causeOf(gate, showing(text))).toBe('Allowed'));
      }
    });

    it('follow clients, holds and products', async () => {
      const gate = await readyGate();
      await document('Client', 'c1', { state: 'Active' });
      const { value } = await issue('a', { clientUid: 'c1' });
      const become = (cause: string, target = '/') =>
        eventually(async () => expect(await causeOf(gate, showing(value, { target }))).toBe(cause));
      await become('Allowed');
      await document('Client', 'c1', { state: 'Suspended' });
      await become('ClientSuspended');
      await document('Client', 'c1', { state: 'Active' });
      await become('Allowed');
      const why = { reviewUid: 'r', reviewer: 'ann', message: '', sinceMs: 0 };
      await document('Hold', 'a', { held: { ...why, state: 'Suspended' } });
      await become('KeySuspended');
      await document('Hold', 'a', {});
      await become('Allowed');
      const match = [{ hosts: [], pathPrefix: '/maps', methods: [] }];
      await document('Product', 'p1', { state: 'Published', access: 'ByGrant', match });
      await become('ProductNotAllowed', '/maps/1');
    });

    it('hand out the last use once among a thousand calls at three of them (R112)', async () => {
      const { value } = await issue('a', withQuota(1));
      const all = await Promise.all([readyGate(), readyGate(), readyGate()]);
      const answers = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) => causeOf(all[i % 3]!, showing(value))),
      );
      expect(answers.filter((cause) => cause === 'Allowed')).toHaveLength(1);
      expect(new Set(answers)).toEqual(new Set(['Allowed', 'QuotaUsedUp']));
    });

    it('never hand out more than a quota together, although one of them is never heard of again', async () => {
      const { value } = await issue('a', withQuota(300));
      const [killed, ...others] = await Promise.all([readyGate(), readyGate(), readyGate()]);
      let allowed = 0;
      const ask = async (gate: Gate, calls: number): Promise<void> => {
        for (let i = 0; i < calls; i += 1) {
          const cause = await causeOf(gate, showing(value));
          if (cause === 'Allowed') allowed += 1;
        }
      };
      await Promise.all([ask(killed!, 50), ...others.map((gate) => ask(gate, 50))]);
      expect(allowed).toBe(150);
      // From here on the first one says nothing more: what it holds is lost, and nothing beyond.
      await Promise.all(others.map((gate) => ask(gate, 200)));
      expect(allowed).toBeLessThanOrEqual(300);
      expect(allowed).toBeGreaterThanOrEqual(250);
    });

    it('return what they have not spent when they stop, and write down what was used', async () => {
      const { record, value } = await issue('a', withQuota(100));
      const gate = await readyGate({ replicas: 1 });
      for (let i = 0; i < 21; i += 1) await gate.decide(showing(value));
      await gate.stop();
      gates.delete(gate);
      const looking = await openGateLedger(site.url);
      const ref = { subject: `key/${record.uid}`, windowStartMs: 0 };
      expect(await looking.counts([ref])).toEqual([{ ...ref, reserved: 21, unspent: 0 }]);
      expect(await looking.usage(['a'])).toMatchObject([{ uid: 'a', uses: 21 }]);
      await looking.close();
      const next = await readyGate({ replicas: 1 });
      const answers: string[] = [];
      for (let i = 0; i < 80; i += 1) answers.push(await causeOf(next, showing(value)));
      expect(answers.filter((cause) => cause === 'Allowed')).toHaveLength(79);
    });

    it('take a signature once, all together', async () => {
      const { apiKey, apiSecret } = await issue('a', { format: 'KeyPair' });
      const all = await Promise.all([readyGate(), readyGate(), readyGate()]);
      const [date, salt] = [new Date().toISOString(), 'jqsba2jxjnrjor'];
      const signature = createHmac('sha256', apiSecret)
        .update(date + salt)
        .digest('hex');
      const call = showing('', {
        credential: { type: 'Signed', algorithm: 'SHA256', apiKey, date, salt, signature },
      });
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, i) => causeOf(all[i % 3]!, call)),
      );
      expect(answers.filter((cause) => cause === 'Allowed')).toHaveLength(1);
      expect(answers.filter((cause) => cause === 'SignatureReplayed')).toHaveLength(59);
    });

    it('read everything anew when the database was restored', async () => {
      const { value } = await issue('a', withQuota(10));
      const gate = await readyGate();
      expect(await causeOf(gate, showing(value))).toBe('Allowed');
      await ledger.close();
      const archive = await openArchive(site.url, 'Change');
      const incarnation = randomBytes(16).toString('hex');
      await markRestored(archive, { actor: 'ann', atMs: Date.now(), incarnation });
      await archive.close();
      await eventually(async () => {
        expect(gate.failing()).toBeUndefined();
        expect(await causeOf(gate, showing(value))).toBe('Allowed');
      });
    });

    it('know keys that were there before them, more than fit into memory', async () => {
      const keys = await Promise.all(Array.from({ length: 500 }, (_, i) => issue(`k${i}`)));
      const gate = await readyGate({ recordsMax: 100 });
      for (const { value } of keys) {
        expect(await causeOf(gate, showing(value))).toBe('Allowed');
      }
      expect(await causeOf(gate, showing(issueKey('x').value))).toBe('UnknownKey');
    });
  });
}
