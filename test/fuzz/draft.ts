/** A case while it is being put together: it begins as a call that is let in, and options spoil it. */
import { createHmac, randomBytes } from 'node:crypto';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { digestSecret } from '../../src/keys/digest.ts';
import { buildPairSecret, buildValue } from '../../src/keys/format.ts';
import { sealForGate, slotContext, type Sealed } from '../../src/keys/sealing.ts';
import type { Call, Credential } from '../../src/gate/call.ts';
import type { ClientRecord, HoldRecord, ProductRecord } from '../../src/ledger/documents.ts';
import type { CredentialState, KeyRecord, SlotRecord } from '../../src/ledger/record.ts';
import type { KeyTerms } from '../../src/terms/terms.ts';
import { aKeyring } from '../support/gate.keys.ts';
import type { Raw } from './raw.ts';

/** When every case happens. */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
/** The keyId that exists, one of which the gate has only heard, and one that nobody knows. */
export const KEY_IDS = {
  here: 'Ab0'.padEnd(16, 'x'),
  gone: 'Ab1'.padEnd(16, 'x'),
  none: 'Z'.repeat(16),
};
/** Secrets of the two slots, of an older generation, and of nobody. */
export const SECRETS = ['first', 'second', 'older', 'other'].map((name) => name.padEnd(43, '0'));

/** The keyring of all cases: versions 1 and 2. */
export const KEYRING = aKeyring(
  ['v1', 'v2']
    .map((name) => `${name}:${Buffer.from(name.padEnd(32, 'k')).toString('base64')}\n`)
    .join(''),
);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** See the file comment. What options change are its fields. */
export type Draft = Mutable<Omit<Raw, 'call' | 'record' | 'apiSecret' | 'peppers'>> & {
  shown: Credential['type'];
  secret: string;
  prefix: string;
  keyId: string;
  mangle: (text: string) => string;
  algorithm: 'SHA256' | 'MD5';
  date: string;
  salt: string;
  signedBody: string;
  call: Mutable<Omit<Call, 'credential'>>;
  key: Mutable<Pick<KeyRecord, 'phase' | 'state' | 'clientUid' | 'grant'>>;
  terms: Mutable<KeyTerms>;
  state: CredentialState;
  retireAtMs: number | undefined;
  slots: readonly (readonly [secret: string, pepperVersion: number])[];
  sealed: 'Kept' | 'NotKept' | 'LostVersion';
  hasOlder: boolean;
};

/** A call that is let in, barely: every restriction is there, and just about kept. */
export function createDraft(): Draft {
  return {
    nowMs: NOW_MS,
    ageMs: 100,
    isKnown: true,
    isCached: true,
    isDatabaseGone: false,
    client: aClient({}),
    hold: undefined,
    products: PRODUCTS,
    unlisted: 'deny',
    phpDates: false,
    novelty: 'New',
    uses: 3,
    isWaitingForUses: false,
    meanwhile: 'Nothing',
    shown: 'Value',
    secret: SECRETS[0] ?? '',
    prefix: 'kw',
    keyId: KEY_IDS.here,
    mangle: (text) => text,
    algorithm: 'SHA256',
    date: '2026-01-02T03:04:05Z',
    salt: '0123456789abcdef',
    signedBody: '{"a":[1,"x"]}',
    call: {
      profile: 'Keyward',
      method: 'GET',
      host: 'api.example',
      target: '/maps/tiles/3',
      origin: 'https://a.example',
      referer: 'https://a.example/app/page',
      address: '10.1.2.3',
      isSpoofed: false,
      body: Buffer.from('{ "a" : [ 1, "x" ] }\n'),
    },
    key: {
      phase: 'Live',
      state: 'Active',
      clientUid: 'client-1',
      grant: { formUid: 'form-1', round: 2 },
    },
    terms: {
      timeZone: 'UTC',
      notBeforeMs: NOW_MS,
      endMs: NOW_MS + 1,
      quota: { requests: 10, period: 'Lifetime', timeZone: 'UTC' },
      originPolicy: {
        allowed: [{ scheme: 'https', host: 'a.example', path: '/app' }],
        missing: 'Deny',
        unknownPath: 'Deny',
      },
      cidrs: ['10.1.2.3/32', '2001:db8::/32'],
      productRefs: ['maps'],
    },
    state: 'Active',
    retireAtMs: undefined,
    slots: [[SECRETS[0] ?? '', 1]],
    sealed: 'Kept',
    hasOlder: false,
  };
}

/** The finished case. */
export function finish(draft: Draft): Raw {
  const { call, secret: _secret, ...rest } = draft;
  return {
    ...rest,
    call: { ...call, credential: credentialOf(draft) },
    record: draft.keyId === KEY_IDS.here ? recordOf(draft) : undefined,
    isCached: draft.isCached && draft.keyId === KEY_IDS.here,
    apiSecret: API_SECRET,
    peppers: PEPPERS,
  };
}

/** A client as the ledger keeps it. */
export function aClient(changes: Partial<ClientRecord>): ClientRecord {
  return { ...HEAD, uid: 'client-1', name: 'client', state: 'Active', ...changes };
}

/** What a reviewer said about the key. */
export function aHold(state: 'Suspended' | 'Revoked', phase: 'Live' | 'Ended'): HoldRecord {
  const held = { state, reviewUid: 'r', reviewer: 'r', message: '', sinceMs: 0 };
  return { ...HEAD, uid: 'key-1', phase, held };
}

/** A product that claims paths. */
export function aProduct(name: string, changes: Partial<ProductRecord>): ProductRecord {
  return { ...HEAD, uid: name, name, state: 'Published', access: 'ByGrant', match: [], ...changes };
}

const HEAD = { clusterId: 'c', namespace: 'shop', name: 'n', revision: 1, phase: 'Live' } as const;

/** The products of most cases. */
export const PRODUCTS: readonly ProductRecord[] = [
  aProduct('maps', { match: [{ hosts: [], pathPrefix: '/maps', methods: [] }] }),
  aProduct('mail', {
    access: 'Open',
    match: [{ hosts: [], pathPrefix: '/mail', methods: ['GET', 'POST'] }],
  }),
  aProduct('old', {
    access: 'Open',
    state: 'Retired',
    match: [{ hosts: [], pathPrefix: '/old', methods: [] }],
  }),
  aProduct('secret', { match: [{ hosts: [], pathPrefix: '/maps/secret', methods: [] }] }),
  aProduct('inner', { match: [{ hosts: ['in.example'], pathPrefix: '/maps', methods: [] }] }),
  aProduct('dead', {
    phase: 'Ended',
    access: 'Open',
    match: [{ hosts: [], pathPrefix: '/dead', methods: [] }],
  }),
  aProduct('silent', { access: 'Open' }),
];

const PEPPERS = Object.fromEntries(
  KEYRING.versions.map((version) => [version, KEYRING.pepper(version).toString('hex')]),
);
const TOKEN = 'token-1';
const API_SECRET = buildPairSecret({ prefix: 'kw', keyId: KEY_IDS.here, secret: SECRETS[0] ?? '' });
const SEALED: Sealed = sealForGate(
  KEYRING,
  new Sensitive(API_SECRET),
  slotContext({ token: TOKEN, slot: 'apiSecret', generation: 1 }),
  randomBytes,
);

function credentialOf(draft: Draft): Credential {
  const { shown, prefix, keyId, secret, mangle, algorithm, date, salt } = draft;
  const apiKey = `${prefix}_${keyId}`;
  switch (shown) {
    case 'None':
    case 'Ambiguous':
      return { type: shown };
    case 'Value':
      return { type: shown, value: mangle(valueOf(prefix, keyId, secret)) };
    case 'Pair': {
      const apiSecret = valueOf(prefix, keyId, secret).slice(apiKey.length + 1);
      return { type: shown, apiKey, apiSecret: mangle(apiSecret) };
    }
    case 'Signed': {
      const hmac = createHmac(algorithm, secret === SECRETS[0] ? API_SECRET : secret);
      const signature = mangle(hmac.update(date + salt).digest('hex'));
      // Readers let nothing else through.
      if (!/^[0-9a-f]{32}([0-9a-f]{32})?$/.test(signature)) return { type: 'Ambiguous' };
      return { type: shown, algorithm, apiKey, date, salt, signature };
    }
    case 'BodySigned': {
      const own = secret === SECRETS[0] ? API_SECRET : secret;
      const hmac = createHmac('sha256', own).update(draft.signedBody + apiKey + own);
      return { type: shown, apiKey, signature: mangle(hmac.digest('base64')) };
    }
  }
}

function recordOf(draft: Draft): KeyRecord {
  const { key, terms, state, retireAtMs, slots, hasOlder } = draft;
  const retire = retireAtMs === undefined ? {} : { retireAtMs };
  const own = { ...CREDENTIAL, state, ...retire, slots: slots.map(slotOf.bind(undefined, draft)) };
  const older = {
    ...CREDENTIAL,
    keyId: 'Older'.padEnd(16, 'x'),
    slots: [slotOf(draft, [SECRETS[2] ?? '', 1], 0)],
  };
  return { ...RECORD, ...key, terms, credentials: hasOlder ? [older, own] : [own] };
}

function slotOf(
  { shown, sealed }: Draft,
  [secret, pepperVersion]: readonly [string, number],
  at: number,
): SlotRecord {
  const isPair = shown !== 'Value';
  const kept = { sealed: { ...SEALED, version: sealed === 'Kept' ? SEALED.version : 9 } };
  return {
    name: isPair ? 'apiSecret' : at === 0 ? 'primaryKey' : 'secondaryKey',
    role: 'Active',
    generation: 1,
    digest: digestOf(secret, pepperVersion),
    pepperVersion,
    ...(isPair && sealed !== 'NotKept' ? kept : {}),
    rotatedAtMs: 0,
  };
}

const CREDENTIAL = {
  token: TOKEN,
  sequence: 1,
  attempt: 1,
  keyId: KEY_IDS.here,
  hint: `kw_${KEY_IDS.here}`,
  state: 'Active',
  origin: 'Issued',
  createdAtMs: 0,
} as const;

const RECORD = {
  clusterId: 'c',
  uid: 'key-1',
  namespace: 'shop',
  name: 'key',
  revision: 1,
  store: { kind: 'ClusterKeyStore', name: 'default', uid: 'store-1', incarnation: 1 },
  format: 'Dual',
  firstIssuedMs: 0,
  sequence: 1,
} as const;

const values = new Map<string, string>();
function valueOf(prefix: string, keyId: string, secret: string): string {
  const name = `${prefix} ${keyId} ${secret}`;
  const known = values.get(name) ?? buildValue({ prefix, keyId, secret });
  values.set(name, known);
  return known;
}

const digests = new Map<string, Uint8Array>();
function digestOf(secret: string, version: number): Uint8Array {
  const name = `${secret} ${version}`;
  // A lost version once was somebody's, too.
  const pepper = PEPPERS[version] === undefined ? Buffer.alloc(32, 9) : KEYRING.pepper(version);
  const known = digests.get(name) ?? digestSecret({ pepper, keyId: KEY_IDS.here, secret });
  digests.set(name, known);
  return known;
}
