import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Credential } from '../../../src/gate/call.ts';
import type { KeyRecord } from '../../../src/ledger/record.ts';
import type { IssuedKey } from '../../support/gate.keys.ts';
import { Bench, showing } from './bench.ts';

const SALT = 'jqsba2jxjnrjor';

function signed(
  key: Pick<IssuedKey, 'apiKey' | 'apiSecret'>,
  atMs: number,
  salt = SALT,
): { readonly credential: Credential } {
  const date = new Date(atMs).toISOString();
  const signature = createHmac('sha256', key.apiSecret)
    .update(date + salt)
    .digest('hex');
  const { apiKey } = key;
  return { credential: { type: 'Signed', algorithm: 'SHA256', apiKey, date, salt, signature } };
}

async function pairBench(changes: Partial<KeyRecord> = {}) {
  const bench = await new Bench().start();
  const key = bench.issue('a', { format: 'KeyPair', ...changes });
  await bench.pass(200);
  return { bench, key };
}

describe('a signed call', () => {
  it('is let in once', async () => {
    const { bench, key } = await pairBench();
    const call = showing('', signed(key, bench.clock.nowMs()));
    expect(await bench.cause(call)).toBe('Allowed');
    expect(await bench.cause(call)).toBe('SignatureReplayed');
    const next = showing('', signed(key, bench.clock.nowMs(), `${SALT}2`));
    expect(await bench.cause(next)).toBe('Allowed');
  });

  it('is refused when the secret, the key or the time is another', async () => {
    const { bench, key } = await pairBench();
    const nowMs = bench.clock.nowMs();
    const stranger = bench.issue('b', { format: 'KeyPair' });
    await bench.pass(200);
    const forged = { apiKey: key.apiKey, apiSecret: stranger.apiSecret };
    expect(await bench.cause(showing('', signed(forged, nowMs)))).toBe('WrongSignature');
    const nobody = { apiKey: `kw_${'z'.repeat(16)}`, apiSecret: key.apiSecret };
    expect(await bench.cause(showing('', signed(nobody, nowMs)))).toBe('UnknownKey');
    const late = signed(key, nowMs - 16 * 60_000);
    expect(await bench.cause(showing('', late))).toBe('TimeTooSkewed');
    const noKey = { apiKey: 'not a key', apiSecret: key.apiSecret };
    expect(await bench.cause(showing('', signed(noKey, nowMs)))).toBe('MalformedKey');
  });

  it('is refused when its key keeps no secret', async () => {
    const bench = await new Bench().start();
    const key = bench.issue('a');
    await bench.pass(200);
    expect(await bench.cause(showing('', signed(key, bench.clock.nowMs())))).toBe('WrongSignature');
  });

  it('is refused when nobody can say whether it was seen', async () => {
    const { bench, key } = await pairBench();
    bench.database.trouble.set('remember', 'Fails');
    const call = showing('', signed(key, bench.clock.nowMs()));
    expect(await bench.cause(call)).toBe('ReplayUnknown');
  });

  it('is judged as all others afterwards', async () => {
    const { bench, key } = await pairBench({ state: 'Suspended' });
    expect(await bench.cause(showing('', signed(key, bench.clock.nowMs())))).toBe('KeySuspended');
  });

  it('is refused when its key is revoked while the database is asked', async () => {
    const { bench, key } = await pairBench();
    await bench.cause(showing('', signed(key, bench.clock.nowMs())));
    bench.database.before = async (method) => {
      if (method !== 'remember') return;
      bench.database.put({ ...key.record, state: 'Revoked' });
      await bench.pass(100);
    };
    const call = showing('', signed(key, bench.clock.nowMs(), `${SALT}3`));
    expect(await bench.cause(call)).toBe('KeyRevoked');
  });

  it('is let in, and once, when its key changes while the database is asked', async () => {
    const { bench, key } = await pairBench();
    await bench.cause(showing('', signed(key, bench.clock.nowMs())));
    bench.database.before = async (method) => {
      if (method !== 'remember') return;
      bench.database.put(key.record);
      await bench.pass(100);
    };
    const call = showing('', signed(key, bench.clock.nowMs(), `${SALT}4`));
    expect(await bench.cause(call)).toBe('Allowed');
    expect(await bench.cause(call)).toBe('SignatureReplayed');
  });

  it('whose sealed secret does not open is a no', async () => {
    const { bench, key } = await pairBench();
    const [credential] = key.record.credentials;
    const [slot] = credential!.slots;
    const sealed = { version: 1, blob: new Uint8Array(80) };
    const credentials = [{ ...credential!, slots: [{ ...slot!, sealed }] }];
    bench.database.put({ ...key.record, credentials });
    await bench.pass(200);
    expect(await bench.cause(showing('', signed(key, bench.clock.nowMs())))).toBe('StateUnknown');
  });
});

describe('a call with a signed body', () => {
  const bodySigned = (key: IssuedKey, payload: string): { readonly credential: Credential } => {
    const signature = createHmac('sha256', key.apiSecret)
      .update(payload + key.apiKey + key.apiSecret)
      .digest('base64');
    return { credential: { type: 'BodySigned', apiKey: key.apiKey, signature } };
  };

  it('is let in when the body is the one that was signed', async () => {
    const { bench, key } = await pairBench();
    const call = showing('', bodySigned(key, '{"a":1}'));
    expect(await bench.cause({ ...call, body: Buffer.from('{ "a": 1 }') })).toBe('Allowed');
    expect(await bench.cause({ ...call, body: Buffer.from('{ "a": 2 }') })).toBe('WrongSignature');
    expect(await bench.cause(call)).toBe('WrongSignature');
  });

  it.each([
    ['true', ''],
    ['null', ''],
    ['1e5', '1'],
    ['12e5', '12'],
  ])(
    'is refused when letters of the body %j were moved into the name, which leaves %j',
    async (signed, left) => {
      const { bench, key } = await pairBench();
      const { credential } = bodySigned(key, signed);
      if (credential.type !== 'BodySigned') throw new Error('a signed body');
      const call = showing('', { credential, body: Buffer.from(signed) });
      expect(await bench.cause(call)).toBe('Allowed');
      const apiKey = signed.slice(left.length) + key.apiKey;
      const moved = { credential: { ...credential, apiKey }, body: Buffer.from(left) };
      expect(await bench.cause(showing('', moved))).toBe('WrongSignature');
    },
  );

  it('is refused under a prefix that is not the one of its key, whoever signed it', async () => {
    const { bench, key } = await pairBench();
    const apiKey = key.apiKey.replace('kw_', 'xy_');
    const call = showing('', bodySigned({ ...key, apiKey }, '{}'));
    expect(await bench.cause({ ...call, body: Buffer.from('{}') })).toBe('WrongSignature');
  });
});
