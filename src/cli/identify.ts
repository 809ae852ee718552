/** `keyward identify -`: whose is this value, and which command contains the damage? */
import { KeywardError } from '../kernel/errors.ts';
import type { Sensitive } from '../kernel/sensitive.ts';
import { formatTime } from '../kernel/time.ts';
import { digestSecret, equalDigests } from '../keys/digest.ts';
import { parsePair, parseValue, type ValueParts } from '../keys/format.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Ledger } from '../ledger/port.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../ledger/record.ts';
import { isLive } from '../terms/verdict.ts';
import type { Output } from './output.ts';

/** What the command reads and where it writes. */
export type IdentifyDeps = {
  readonly ledger: Pick<Ledger, 'findByKeyId'>;
  readonly keyring: Keyring;
  readonly nowMs: number;
  readonly output: Output;
};

/** Longest input that can be a key, a pair or either with white space around it. */
const INPUT_MAX = 1_024;

/**
 * Says whose the value is. Prints the public keyId, never the value, and stores nothing.
 * @param input a value, or `apiKey apiSecret` of a pair, as read from standard input
 * @throws KeywardError Terminal: NotAKey, or UnknownKey for unknown and wrong values alike
 */
export async function identify(deps: IdentifyDeps, input: Sensitive): Promise<void> {
  const parts = readParts(input);
  const record = await deps.ledger.findByKeyId(parts.keyId);
  const found = record && matchValue(deps.keyring, record, parts);
  if (record === undefined || found === undefined) {
    throw new KeywardError('Terminal', {
      reason: 'UnknownKey',
      message:
        'the value has the layout of a key, but none of ours; check which installation made it',
    });
  }
  deps.output.data(describe(deps, record, found));
}

type Found = { readonly credential: CredentialRecord; readonly slot: SlotRecord };

function readParts(input: Sensitive): ValueParts {
  const text = input.revealText().trim();
  const [first = '', second] = text.length > INPUT_MAX ? [] : text.split(/\s+/);
  const parts = second === undefined ? parseValue(first) : parsePair(first, second);
  if (parts !== undefined) return parts;
  throw new KeywardError('Terminal', {
    reason: 'NotAKey',
    message:
      'standard input holds no key of this layout: length, letters or checksum do not fit (nothing was looked up)',
  });
}

function matchValue(keyring: Keyring, record: KeyRecord, parts: ValueParts): Found | undefined {
  for (const credential of record.credentials) {
    if (credential.keyId !== parts.keyId) continue;
    const slot = credential.slots.find(({ pepperVersion, digest }) =>
      equalDigests(digest, digestSecret({ ...parts, pepper: keyring.pepper(pepperVersion) })),
    );
    if (slot !== undefined) return { credential, slot };
  }
  return undefined;
}

function describe(deps: IdentifyDeps, record: KeyRecord, found: Found): string {
  const { credential, slot } = found;
  const isWorking = record.state === 'Active' && isLive(credential, deps.nowMs);
  const owner = `${record.namespace}/${record.name}`;
  const { endMs } = record.terms;
  const lines = [
    ['key', credential.keyId],
    ['owner', `ApiKey ${owner}`],
    ['value', `${slot.name}, sequence ${credential.sequence} of ${record.sequence}`],
    ['state', isWorking ? 'works now' : `does not work (${record.state}, ${credential.state})`],
    ...(credential.retireAtMs === undefined
      ? []
      : [['retires', formatTime(credential.retireAtMs)]]),
    ...(endMs === undefined ? [] : [['valid until', formatTime(endMs)]]),
    ['store', `${record.store.kind} ${record.store.name}`],
  ];
  const facts = lines.map(([name = '', text = '']) => `${name.padEnd(12)} ${text}`).join('\n');
  return `${facts}\n\n${containment(record)}`;
}

/** The commands that stop a leaked value, the mildest first. */
function containment(record: KeyRecord): string {
  const patch = (spec: string): string =>
    `  kubectl patch apikey ${record.name} -n ${record.namespace} --type merge -p '{"spec":${spec}}'\n`;
  if (record.phase === 'Retained') {
    return `The object is gone; end the key with:\n  keyward keys revoke ${record.uid}\n`;
  }
  return [
    'Stop it now, and decide later:\n',
    patch('{"state":"Suspended"}'),
    'Replace it at once; the old value dies first:\n',
    patch('{"rotation":{"urgency":"Emergency","requestId":"leak-1"}}'),
    'End it for good:\n',
    patch('{"state":"Revoked"}'),
  ].join('');
}
