/** The built-in store: values in Keyward's own layout, verified by Keyward's own gate. */
import {
  CHECKSUM_LENGTH,
  DEFAULT_PREFIX,
  hint,
  isPrefix,
  publicName,
  SECRET_LENGTH,
  secretBytes,
  type KeyFormat,
} from '../../keys/format.ts';
import { digestSecret } from '../../keys/digest.ts';
import { mintCredential, mintValue } from '../../keys/mint.ts';
import type { Capabilities, Driver, LocalHandle } from '../contract.ts';

/** Values are random per credential; the ledger keeps digests, and sealed copies where asked. */
export const builtinDriver: Driver = {
  type: 'Builtin',
  hosts: [],
  open(member) {
    const settings = parse(member);
    if ('problem' in settings) return settings;
    return handle(settings);
  },
};

type Settings = {
  readonly prefix: string;
  readonly format: KeyFormat;
  readonly isRecoverable: boolean;
};

function parse(member: Readonly<Record<string, unknown>>): Settings | { problem: string } {
  const prefix = member.keyPrefix ?? DEFAULT_PREFIX;
  const format = member.format ?? 'Opaque';
  const profile = member.profile ?? 'Keyward';
  const isRecoverable = member.recovery === 'Sealed';
  if (profile !== 'Keyward') {
    return { problem: `spec.builtin.profile ${JSON.stringify(profile)} is not offered yet` };
  }
  if (typeof prefix !== 'string' || !isPrefix(prefix)) {
    return { problem: 'spec.builtin.keyPrefix must be a letter and up to 15 letters or digits' };
  }
  if (format !== 'Opaque' && format !== 'Dual' && format !== 'KeyPair') {
    return { problem: `spec.builtin.format ${JSON.stringify(format)} is unknown` };
  }
  if (format === 'KeyPair' && !isRecoverable) {
    return { problem: 'spec.builtin.format KeyPair needs recovery: Sealed' };
  }
  return { prefix, format, isRecoverable };
}

function handle(settings: Settings): LocalHandle {
  const { prefix } = settings;
  return {
    type: 'Local',
    capabilities: capabilitiesOf(settings),
    defaultFormat: settings.format,
    provider: 'keyward',
    mint: (format, entropy) => mintCredential(entropy, { prefix, format }),
    mintSlot: (identity, entropy) => mintValue(entropy, { prefix, ...identity }),
    hint: ({ keyId, slot }, value) =>
      slot === 'apiSecret' ? publicName({ prefix, keyId }) : hint({ prefix, keyId }, value),
    digest({ keyId }, value, pepper) {
      if (value.reveal().length < SECRET_LENGTH + CHECKSUM_LENGTH) return undefined;
      return digestSecret({ pepper, keyId, secret: secretBytes(value) });
    },
  };
}

function capabilitiesOf({ isRecoverable }: Settings): Capabilities {
  return {
    class: 'Local',
    // The secret of a pair signs requests, so the gate must be able to open it.
    formats: isRecoverable ? ['Opaque', 'Dual', 'KeyPair'] : ['Opaque', 'Dual'],
    recoverable: isRecoverable,
    rotation: 'Replace',
    regeneratePerSlot: true,
    suspend: true,
    displayNameMax: 255,
    descriptionMax: 500,
    terms: ['quota', 'originPolicy', 'cidrs', 'productRefs'],
  };
}
