/**
 * The SOLAPI store: pairs of a public apiKey and an apiSecret in an account of that vendor. It keeps
 * neither names nor marks, but shows every credential with its secret, so what a lost answer made is
 * found as the difference of two lists. README.md says what is known of the interface and what not.
 */
import type { Capabilities, Driver, RemoteHandle } from '../contract.ts';
import { connectAccount, ENTRIES } from './account.ts';
import { DEFAULT_ENDPOINT, parseSettings, type Settings } from './settings.ts';

/** See the file comment. */
export const solapiDriver: Driver = {
  type: 'Solapi',
  hosts: [new URL(DEFAULT_ENDPOINT).hostname],
  open(member) {
    const settings = parseSettings(member);
    return 'problem' in settings ? settings : handle(settings);
  },
};

const CAPABILITIES: Capabilities = {
  class: 'D',
  formats: ['KeyPair'],
  recoverable: true,
  // A second credential lives beside the first for the overlap; the apiKey changes.
  rotation: 'Replace',
  // The secret only, at once and without overlap: for emergencies and InPlace.
  regeneratePerSlot: true,
  suspend: true,
  // Not the vendor's, which keeps none: those of an ApiKey.
  displayNameMax: 255,
  descriptionMax: 500,
  terms: [],
};

function handle(settings: Settings): RemoteHandle {
  const { origin, secretName, scheme, settleMs, deleteGraceMs, onExpiry } = settings;
  return {
    type: 'Remote',
    capabilities: CAPABILITIES,
    defaultFormat: 'KeyPair',
    provider: 'solapi',
    endpoint: origin,
    credentials: { secretName, entries: ENTRIES[scheme] },
    settleMs,
    deleteGraceMs,
    onExpiry,
    connect: (connection) => connectAccount(settings, connection),
  };
}
