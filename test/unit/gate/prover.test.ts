import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { Prover, readClaim } from '../../../src/gate/prover.ts';
import { prepareKey } from '../../../src/gate/view/prepared.ts';
import { digestForeign } from '../../../src/keys/digest.ts';
import { lookupOf } from '../../../src/keys/foreign.ts';
import { aKeyring, issueKey, KEY_FILE } from '../../support/gate.keys.ts';

const NOW_MS = Date.UTC(2026, 0, 2);
const VALUE = 'Zk3qVw9tYbN2mXc8LrPf5sHd7Ga4Je6U1oTi0EvC';

it('opens one secret for each signature, whether the key is known, keeps no secret, or is unknown', () => {
  const keyring = aKeyring();
  let opened = 0;
  const sealing = (version: number) => {
    opened += 1;
    return keyring.sealing(version);
  };
  const { pepper, versions } = keyring;
  const prover = new Prover({ keyring: { pepper, versions, sealing }, phpDates: false });
  const signed = {
    type: 'Signed',
    algorithm: 'SHA256',
    apiKey: issueKey('c', { format: 'KeyPair' }).apiKey,
    date: new Date(NOW_MS).toISOString(),
    salt: 'a'.repeat(16),
    signature: '0'.repeat(64),
  } as const;
  const claim = readClaim(signed, () => '');
  if (claim === undefined) throw new Error('a well-formed claim');
  const [pair] = prepareKey(issueKey('a', { format: 'KeyPair' }).record, undefined).credentials;
  const [opaque] = prepareKey(issueKey('b').record, undefined).credentials;
  // The first one makes what is opened instead.
  prover.prove(claim, undefined, {}, NOW_MS);
  for (const credential of [pair, opaque, undefined]) {
    opened = 0;
    prover.prove(claim, credential, {}, NOW_MS);
    expect(opened).toBe(1);
  }
});

it('has a signature counted under the credential, whichever of its names the call says', () => {
  const prover = new Prover({ keyring: aKeyring(), phpDates: false });
  const pair = issueKey('a', { format: 'KeyPair' });
  const [credential] = prepareKey(pair.record, undefined).credentials;
  const [date, salt] = [new Date(NOW_MS).toISOString(), 'a'.repeat(16)];
  const signature = createHmac('sha256', pair.apiSecret).update(`${date}${salt}`).digest('hex');
  const remembered = [pair.apiKey, 'NCSABCDEFGHIJKLM'].map((apiKey) => {
    const signed = { type: 'Signed', algorithm: 'SHA256', apiKey, date, salt, signature } as const;
    const claim = readClaim(signed, () => 'l'.repeat(16));
    return prover.prove(claim!, credential, {}, NOW_MS);
  });
  expect(remembered[0]).toMatchObject({ keyId: pair.keyId });
  expect(remembered[1]).toEqual(remembered[0]);
});

it('takes a signed body under the name of an imported pair, and not under its keyId', () => {
  const prover = new Prover({ keyring: aKeyring(), phpDates: false });
  const { record, apiKey: ofKeyId, apiSecret } = issueKey('a', { format: 'KeyPair' });
  const name = 'NCSABCDEFGHIJKLM';
  const credentials = record.credentials.map((each) => ({ ...each, hint: name }));
  const [credential] = prepareKey({ ...record, credentials }, undefined).credentials;
  const proofs = [name, ofKeyId].map((apiKey) => {
    const hmac = createHmac('sha256', apiSecret).update(`{}${apiKey}${apiSecret}`);
    const signed = { type: 'BodySigned', apiKey, signature: hmac.digest('base64') } as const;
    const claim = readClaim(signed, () => 'l'.repeat(16));
    return prover.prove(claim!, credential, { body: Buffer.from('{}') }, NOW_MS);
  });
  expect(proofs).toEqual(['Proven', expect.objectContaining({ cause: 'WrongSignature' })]);
});

it('looks for a value that nobody made here under every master key, whichever fits', () => {
  const keyring = aKeyring(
    `${KEY_FILE}v2:${Buffer.from([...Array(32).keys()].toReversed()).toString('base64')}\n`,
  );
  const prover = new Prover({ keyring, phpDates: false });
  const [first = '', second = ''] = keyring.versions.map((version) =>
    lookupOf(keyring.pepper(version), 'Value', VALUE),
  );
  for (const known of [first, second, 'nobody']) {
    const asked: string[] = [];
    const found = prover.lookup('Value', VALUE, (id) => {
      asked.push(id);
      return id === known;
    });
    expect(asked).toEqual([first, second]);
    expect(found).toBe(known === first ? first : second);
  }
});

it('hashes nothing of what no value can look like', () => {
  const lookup = (): string => {
    throw new Error('it was looked for');
  };
  for (const value of ['short', 'x'.repeat(257), 'with blank in it', 'комма', 'two,values']) {
    expect(readClaim({ type: 'Value', value }, lookup)).toBeUndefined();
    expect(readClaim({ type: 'Pair', apiKey: value, apiSecret: VALUE }, lookup)).toBeUndefined();
  }
  const ours = issueKey('d');
  expect(readClaim({ type: 'Value', value: ours.value }, lookup)).toMatchObject({ type: 'Secret' });
});

it('proves an imported value by its digest, not by having been found', () => {
  const keyring = aKeyring();
  const prover = new Prover({ keyring, phpDates: false });
  const { record } = issueKey('e');
  const [credential] = record.credentials;
  if (credential === undefined) throw new Error('a credential');
  const { keyId, slots } = credential;
  const digest = digestForeign({ pepper: keyring.pepper(1), keyId, value: VALUE });
  const imported = { ...credential, slots: slots.map((slot) => ({ ...slot, digest })) };
  const [prepared] = prepareKey({ ...record, credentials: [imported] }, undefined).credentials;
  const claim = (value: string) => ({ type: 'Foreign', keyId: 'a'.repeat(16), value }) as const;
  expect(prover.prove(claim(VALUE), prepared, {}, NOW_MS)).toBe('Proven');
  expect(prover.prove(claim(`${VALUE}x`), prepared, {}, NOW_MS)).toMatchObject({
    cause: 'WrongSecret',
  });
  expect(prover.prove(claim(VALUE), undefined, {}, NOW_MS)).toMatchObject({ cause: 'UnknownKey' });
});
