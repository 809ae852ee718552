/** `keyward identify -`: whose is this value, and which command contains the damage? */
import { refText } from '../api/meta.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Sensitive } from '../kernel/sensitive.ts';
import { earlier, formatTime } from '../kernel/time.ts';
import { digestSecret, equalDigests } from '../keys/digest.ts';
import { parsePair, parseValue, type ValueParts } from '../keys/format.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Ledger } from '../ledger/port.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { validityAt } from '../terms/validity.ts';
import { isLive, isSlotOver } from '../terms/verdict.ts';
import { findForeign, findImported, type Found } from './identifyforeign.ts';
import type { Output } from './output.ts';
import { visible } from './visible.ts';

/** What the command reads and where it writes. */
export type IdentifyDeps = {
  readonly ledger: Pick<Ledger, 'findByKeyId' | 'scan'>;
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
  const words = readWords(input);
  const parts = readParts(words);
  const found =
    parts === undefined
      ? ((await findImported(deps.ledger, deps.keyring, words)) ?? (await atVendor(deps, words)))
      : await ofOurs(deps, parts);
  deps.output.data(describe(deps, found));
}

/** One or two words of a bearable length. */
function readWords(input: Sensitive): readonly string[] {
  const text = input.revealText().trim();
  const words = text.length > INPUT_MAX ? [] : text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 1 || words.length === 2) return words;
  throw new KeywardError('Terminal', {
    reason: 'NotAKey',
    message: 'standard input holds neither one value nor two of a pair (nothing was looked up)',
  });
}

function readParts([first = '', second]: readonly string[]): ValueParts | undefined {
  return second === undefined ? parseValue(first) : parsePair(first, second);
}

async function ofOurs(deps: IdentifyDeps, parts: ValueParts): Promise<Found> {
  const record = await deps.ledger.findByKeyId(parts.keyId);
  const found = record && matchValue(deps.keyring, record, parts);
  if (record !== undefined && found !== undefined) return { record, ...found };
  throw new KeywardError('Terminal', {
    reason: 'UnknownKey',
    message:
      'the value has the layout of a key, but none of ours; check which installation made it',
  });
}

async function atVendor(deps: IdentifyDeps, words: readonly string[]): Promise<Found> {
  const found = await findForeign(deps.ledger, deps.keyring, words);
  if (found !== undefined) return found;
  throw new KeywardError('Terminal', {
    reason: 'NotAKey',
    message:
      'standard input holds no key of our layout (length, letters or checksum do not fit), and no key at a vendor has that value now, nor was it imported',
  });
}

function matchValue(
  keyring: Keyring,
  record: KeyRecord,
  parts: ValueParts,
): Omit<Found, 'record'> | undefined {
  for (const credential of record.credentials) {
    if (credential.keyId !== parts.keyId) continue;
    const slot = credential.slots.find(({ pepperVersion, digest }) =>
      equalDigests(digest, digestSecret({ ...parts, pepper: keyring.pepper(pepperVersion) })),
    );
    if (slot !== undefined) return { credential, slot };
  }
  return undefined;
}

function describe(deps: IdentifyDeps, found: Found): string {
  const { record, credential, slot } = found;
  const owner = refText(record);
  const { endMs } = record.terms;
  const retireAtMs = earlier(credential.retireAtMs, slot.retireAtMs);
  const lines = [
    ['key', credential.keyId],
    ['owner', `ApiKey ${owner}`],
    ['value', `${slot.name}, sequence ${credential.sequence} of ${record.sequence}`],
    ['state', stateText(found, deps.nowMs)],
    ...(retireAtMs === undefined ? [] : [['retires', formatTime(retireAtMs)]]),
    ...(endMs === undefined ? [] : [['valid until', formatTime(endMs)]]),
    ['store', `${record.store.kind} ${record.store.name}`],
    ...(credential.remote?.id === undefined ? [] : [['at the vendor', credential.remote.id]]),
  ];
  const facts = lines
    .map(([name = '', text = '']) => `${name.padEnd(13)} ${visible(text)}`)
    .join('\n');
  return `${facts}\n\n${containment(found)}`;
}

/** Whether the value works: gates have the last word where they are asked, a vendor has a word of its own. */
function stateText(found: Found, nowMs: number): string {
  const why = refusalOf(found, nowMs);
  if (why === undefined) return 'works now';
  const { remote } = found.credential;
  return remote?.id === undefined || remote.enabled === false
    ? `does not work (${why})`
    : `gates refuse it (${why}); at the vendor it may still work`;
}

/** Why gates refuse the value; undefined: they let it in. */
function refusalOf({ record, credential, slot }: Found, nowMs: number): string | undefined {
  if (record.state !== 'Active' || !isLive(credential, nowMs)) {
    return `${record.state}, ${credential.state}`;
  }
  if (isSlotOver(credential.slots, slot.name, nowMs)) return 'its time is over';
  const validity = validityAt(record.terms, nowMs);
  if (validity === 'Valid') return undefined;
  return validity === 'Over' ? 'the key has expired' : 'the key is not valid yet';
}

/** The commands that stop a leaked value, the mildest first. */
function containment({ record, credential, slot }: Found): string {
  const patch = (spec: string): string =>
    `  kubectl patch apikey ${record.name} -n ${record.namespace} --type merge -p '{"spec":${spec}}'\n`;
  if (record.phase === 'Retained') {
    return `The object is gone; end the key with:\n  keyward keys revoke ${record.uid}\n`;
  }
  // An id acts once in the life of a key, so each value that can leak has one of its own.
  const leak = `leak-${credential.sequence}-${slot.name}-${slot.generation}`;
  return [
    'Stop it now, and decide later:\n',
    patch('{"state":"Suspended"}'),
    ...(record.grant === undefined
      ? [
          'Replace it at once; the old value dies first:\n',
          patch(`{"rotation":{"urgency":"Emergency","requestId":"${leak}","slot":null}}`),
        ]
      : [replacementByForm(record)]),
    'End it for good:\n',
    patch('{"state":"Revoked"}'),
  ].join('');
}

/** What was applied for is exposed on its form, and its store may want a review before new values. */
function replacementByForm({ namespace, name }: KeyRecord): string {
  const command = (words: string): string => `  keyward ${words}\n`;
  return [
    'Replace it. Where its store reviews new values, this one works until a reviewer approves, so suspend it first:\n',
    command(`suspend ${name} -n ${namespace}`),
    command(`rotate ${name} -n ${namespace} --reason Exposed --message 'Its value leaked.'`),
    'Then, when the new values are there:\n',
    command(`resume ${name} -n ${namespace}`),
  ].join('');
}
