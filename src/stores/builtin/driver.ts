/** The built-in store: values in Keyward's own layout, verified by Keyward's own gate. */
import {
  CHECKSUM_LENGTH,
  DEFAULT_PREFIX,
  hint,
  isPrefix,
  publicName,
  SECRET_LENGTH,
  secretBytes,
} from '../../keys/format.ts';
import { digestSecret } from '../../keys/digest.ts';
import { mintCredential, mintValue } from '../../keys/mint.ts';
import type { Capabilities, Driver, LocalHandle } from '../contract.ts';
import { chosenOf, formatsOf, type Chosen } from './profiles.ts';

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

type Settings = Chosen & { readonly prefix: string };

function parse(member: Readonly<Record<string, unknown>>): Settings | { problem: string } {
  const prefix = member.keyPrefix ?? DEFAULT_PREFIX;
  if (typeof prefix !== 'string' || !isPrefix(prefix)) {
    return { problem: 'spec.builtin.keyPrefix must be a letter and up to 15 letters or digits' };
  }
  const chosen = chosenOf(member);
  return 'problem' in chosen ? chosen : { ...chosen, prefix };
}

function handle(settings: Settings): LocalHandle {
  const { prefix, profile } = settings;
  return {
    type: 'Local',
    profile,
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

function capabilitiesOf(settings: Settings): Capabilities {
  const { displayNameMax, descriptionMax } = settings.habits;
  return {
    class: 'Local',
    formats: formatsOf(settings),
    recoverable: settings.isRecoverable,
    rotation: 'Replace',
    regeneratePerSlot: true,
    suspend: true,
    displayNameMax,
    descriptionMax,
    terms: ['quota', 'originPolicy', 'cidrs', 'productRefs'],
  };
}
