/**
 * Whose call is it? Reads what a caller shows and proves it against one credential: values by their
 * digest, signatures by the secret itself, which is opened for that moment only.
 */
import { Sensitive } from '../kernel/sensitive.ts';
import { DUMMY_DIGEST } from '../keys/digest.ts';
import { isForeignName, isForeignValue, lookupOf, type ForeignKind } from '../keys/foreign.ts';
import { parsePair, parsePublicName, parseValue, type ValueParts } from '../keys/format.ts';
import type { Keyring } from '../keys/keyring.ts';
import { openAtGate, sealForGate, slotContext, type Sealed } from '../keys/sealing.ts';
import type { SeenSignature } from '../ledger/gate.ts';
import { REFUSALS, type Refusal } from '../terms/refusals.ts';
import { isSlotOver, proveForeign, proveSecret, type ProvableSlots } from '../terms/verdict.ts';
import type { Call, Credential } from './call.ts';
import { verifyBodySigned, type BodySignedCredential } from './schemes/bodysigned.ts';
import {
  replayDigest,
  replayUntilMs,
  verifySigned,
  type SignedCredential,
} from './schemes/signed.ts';
import type { PreparedCredential } from './view/prepared.ts';

/** What a caller says, well formed and not proven. */
export type Claim =
  | { readonly type: 'Secret'; readonly keyId: string; readonly parts: ValueParts }
  /** A value that was made elsewhere; its lookup stands for the keyId, which is not in it. */
  | { readonly type: 'Foreign'; readonly keyId: string; readonly value: string }
  | { readonly type: 'Signed'; readonly keyId: string; readonly credential: SignedCredential }
  | {
      readonly type: 'BodySigned';
      readonly keyId: string;
      readonly credential: BodySignedCredential;
    };

/** Proven; or proven unless the signature was seen before; or a no. */
type Proof = 'Proven' | SeenSignature | Refusal;

/** How proofs are made. */
type ProverOptions = {
  readonly keyring: Pick<Keyring, 'pepper' | 'sealing' | 'versions'>;
  /** See `DateRules`. */
  readonly phpDates: boolean;
};

const DUMMY = { token: '', slot: 'apiSecret', generation: 0 } as const;
const DUMMY_SECRET = '0'.repeat(49);

/** Under which id a text that has no id in it would be known. */
export type Lookup = (kind: ForeignKind, text: string) => string;

/** The claim of a credential; undefined: it cannot be one of ours, nor one that was imported. */
export function readClaim(credential: Credential, lookup: Lookup): Claim | undefined {
  switch (credential.type) {
    case 'Value':
      return (
        claimSecret(parseValue(credential.value)) ??
        claimForeign(credential.value, () => lookup('Value', credential.value))
      );
    case 'Pair': {
      const { apiKey, apiSecret } = credential;
      const own = claimSecret(parsePair(apiKey, apiSecret));
      if (own !== undefined || !isForeignName(apiKey)) return own;
      return claimForeign(apiSecret, () => lookup('Name', apiKey));
    }
    case 'Signed': {
      const keyId = readName(credential.apiKey, lookup);
      return keyId === undefined ? undefined : { type: 'Signed', keyId, credential };
    }
    case 'BodySigned': {
      const keyId = readName(credential.apiKey, lookup);
      return keyId === undefined ? undefined : { type: 'BodySigned', keyId, credential };
    }
    case 'None':
    case 'Ambiguous':
      return undefined;
  }
}

/** Whether nothing in it says that we made it: where nobody imported it either, it is no key at all. */
export function isForeign(claim: Claim): boolean {
  if (claim.type === 'Secret' || claim.type === 'Foreign') return claim.type === 'Foreign';
  return parsePublicName(claim.credential.apiKey) === undefined;
}

function claimSecret(parts: ValueParts | undefined): Claim | undefined {
  return parts && { type: 'Secret', keyId: parts.keyId, parts };
}

/** What no value can look like is not hashed. */
function claimForeign(value: string, lookup: () => string): Claim | undefined {
  return isForeignValue(value) ? { type: 'Foreign', keyId: lookup(), value } : undefined;
}

function readName(apiKey: string, lookup: Lookup): string | undefined {
  return parsePublicName(apiKey) ?? (isForeignName(apiKey) ? lookup('Name', apiKey) : undefined);
}

/** See the file comment. */
export class Prover {
  readonly #options: ProverOptions;
  /** By version; asking the keyring puts a text together each time. */
  readonly #peppers = new Map<number, Buffer>();
  /** Opened where there is nothing to open; made when it is needed first. */
  #dummy: Sealed | undefined;

  /** Compared where there is no credential; whatever comes of it is a no. */
  readonly #decoy: ProvableSlots;

  constructor(options: ProverOptions) {
    this.#options = options;
    const { keyring } = options;
    const pepperVersion = keyring.versions.at(-1) ?? 1;
    this.#decoy = { kinds: [{ name: 'apiKey', pepperVersion }], digests: DUMMY_DIGEST };
    for (const version of keyring.versions) this.#peppers.set(version, keyring.pepper(version));
  }

  /** As the keyring's. @throws KeywardError Terminal MasterKeyVersionMissing */
  readonly pepper = (version: number): Buffer =>
    this.#peppers.get(version) ?? this.#options.keyring.pepper(version);

  /**
   * The id of a text among those that are known, under whichever master key it was imported; one of no
   * meaning where none is. The work is the same either way.
   */
  lookup(kind: ForeignKind, text: string, isKnown: (id: string) => boolean): string {
    let found: string | undefined;
    let last = '';
    for (const pepper of this.#peppers.values()) {
      last = lookupOf(pepper, kind, text);
      if (isKnown(last)) found = last;
    }
    return found ?? last;
  }

  /**
   * Proves a claim against the credential of its keyId; undefined: there is none, and the work is that
   * of a wrong secret.
   *
   * @throws KeywardError Terminal MasterKeyVersionMissing, SealBroken: nobody can say
   */
  prove(
    claim: Claim,
    credential: PreparedCredential | undefined,
    call: Pick<Call, 'body'>,
    nowMs: number,
  ): Proof {
    if (claim.type === 'Secret' || claim.type === 'Foreign') {
      const slot = this.#findSlot(claim, credential);
      if (credential === undefined) return REFUSALS.UnknownKey;
      return slot === undefined || isSlotOver(credential.endingSlots, slot, nowMs)
        ? REFUSALS.WrongSecret
        : 'Proven';
    }
    const secret = credential && this.#open(credential);
    // The work is the same where there is nothing to open.
    const tried = secret ?? this.#openDummy();
    const verified = this.#verify(claim, tried, call, nowMs);
    tried.erase();
    if (credential === undefined) return REFUSALS.UnknownKey;
    const isRight = secret !== undefined && isNamedExactly(claim, credential);
    if (!isRight || verified === 'WrongSignature') return REFUSALS.WrongSignature;
    if (verified === 'TimeTooSkewed') return REFUSALS.TimeTooSkewed;
    return claim.type === 'Signed' ? seenOnce(claim, credential.keyId, nowMs) : 'Proven';
  }

  #findSlot(
    claim: Extract<Claim, { type: 'Secret' | 'Foreign' }>,
    credential: PreparedCredential | undefined,
  ): string | undefined {
    const slots = credential ?? this.#decoy;
    if (claim.type === 'Secret') return proveSecret(slots, claim.parts, this.pepper);
    const { keyId } = credential ?? claim;
    return proveForeign(slots, { keyId, value: claim.value }, this.pepper);
  }

  #verify(
    claim: Exclude<Claim, { type: 'Secret' | 'Foreign' }>,
    secret: Sensitive,
    { body }: Pick<Call, 'body'>,
    nowMs: number,
  ): 'Ok' | 'TimeTooSkewed' | 'WrongSignature' {
    return claim.type === 'Signed'
      ? verifySigned(claim.credential, secret, { nowMs, phpDates: this.#options.phpDates })
      : verifyBodySigned(claim.credential, secret, body);
  }

  #openDummy(): Sensitive {
    const { keyring } = this.#options;
    this.#dummy ??= sealForGate(
      { currentVersion: keyring.versions.at(-1) ?? 0, sealing: keyring.sealing.bind(keyring) },
      new Sensitive(DUMMY_SECRET),
      slotContext(DUMMY),
      // It leaves no process, so its nonce need not be fresh.
      noEntropy,
    );
    return openAtGate(keyring, this.#dummy, slotContext(DUMMY));
  }

  #open({ signing }: PreparedCredential): Sensitive | undefined {
    if (signing === undefined) return undefined;
    const { token, generation, sealed } = signing;
    const context = slotContext({ token, slot: 'apiSecret', generation });
    return openAtGate(this.#options.keyring, sealed, context);
  }
}

function noEntropy(bytes: number): Buffer {
  return Buffer.alloc(bytes);
}

/**
 * Body and name are signed as one text, so that a signature of one name fits another, with letters of the
 * body in its prefix: only the name that was issued counts. One that was imported was found by all its
 * letters.
 */
function isNamedExactly(
  claim: Exclude<Claim, { type: 'Secret' | 'Foreign' }>,
  { signing }: PreparedCredential,
): boolean {
  if (claim.type === 'Signed' || isForeign(claim)) return true;
  return claim.credential.apiKey === signing?.publicName;
}

/** @param keyId of what was proven: an imported pair is found under two names, and its signature counts once */
function seenOnce(
  { credential }: Extract<Claim, { type: 'Signed' }>,
  keyId: string,
  nowMs: number,
): Proof {
  const untilMs = replayUntilMs(credential);
  // Its date was read a moment ago, so this cannot be; but without it nothing could be remembered.
  if (untilMs === undefined) return REFUSALS.TimeTooSkewed;
  return { keyId, digest: replayDigest(credential), untilMs, nowMs };
}
