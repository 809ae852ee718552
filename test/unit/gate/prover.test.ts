import { expect, it } from 'vitest';
import { Prover, readClaim } from '../../../src/gate/prover.ts';
import { prepareKey } from '../../../src/gate/view/prepared.ts';
import { aKeyring, issueKey } from '../../support/gate.keys.ts';

const NOW_MS = Date.UTC(2026, 0, 2);

it('opens one secret for each signature, whether the key is known, keeps no secret, or is unknown', () => {
  const keyring = aKeyring();
  let opened = 0;
  const sealing = (version: number) => {
    opened += 1;
    return keyring.sealing(version);
  };
  const { pepper, versions } = keyring;
  const prover = new Prover({ keyring: { pepper, versions, sealing }, phpDates: false });
  const claim = readClaim({
    type: 'Signed',
    algorithm: 'SHA256',
    apiKey: issueKey('c', { format: 'KeyPair' }).apiKey,
    date: new Date(NOW_MS).toISOString(),
    salt: 'a'.repeat(16),
    signature: '0'.repeat(64),
  });
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
