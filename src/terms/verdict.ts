/**
 * Pure; may this presented key do this now? The gate looks the record up by keyId, proves the secret and asks
 * `judgeProven` and `findQuotaRefusal`; `verdict` is all of it in one piece, for one value.
 * Checks run in a fixed order and the first no wins:
 *
 *     shape and checksum -> (lookup) -> secret -> key, value and client state
 *       -> validity -> origin -> address -> product -> quota
 *
 * Guarantees: whoever is let in was proven to belong in; unknown and wrong keys get the same answer after
 * the same work; what the answer tells beyond InvalidKey is told to holders of the secret only.
 */
import {
  digestText,
  DUMMY_DIGEST,
  DUMMY_PEPPER,
  foreignDigestText,
  isDigestAt,
  joinDigests,
} from '../keys/digest.ts';
import { isKeyId, isSecret, parseValue } from '../keys/format.ts';
import { isInside } from './cidr.ts';
import { compileTerms, type CompiledTerms } from './compiled.ts';
import { matchOrigin } from './origin.ts';
import { coversUse, UNLIMITED } from './quota.ts';
import { REFUSALS, type Refusal } from './refusals.ts';
import type { KeyTerms } from './terms.ts';
import { type Interval, validityAt } from './validity.ts';

/** One value of a credential, as far as a verdict needs it. */
type VerifiableSlot = {
  readonly name: string;
  readonly digest: Uint8Array;
  readonly pepperVersion: number;
  /** From then on it is dead, although whoever replaces it may not have come to it yet. */
  readonly retireAtMs?: number;
};

/** Values of one credential as whoever proves many keeps them: what most have in common apart from the rest. */
export type ProvableSlots = {
  readonly kinds: readonly SlotKind[];
  /** See `joinDigests`; in the order of the kinds. */
  readonly digests: string;
};

/** What a value has in common with most others. */
export type SlotKind = Pick<VerifiableSlot, 'name' | 'pepperVersion'>;

/** One credential generation. */
export type VerifiableCredential = {
  readonly keyId: string;
  /** A CredentialState of the ledger; unknown ones count as dead. */
  readonly state: string;
  /** Retiring: the instant from which it is dead. */
  readonly retireAtMs?: number;
  readonly slots: readonly VerifiableSlot[];
};

/** One ApiKey. The record of the ledger fits as it is. */
export type VerifiableKey = {
  readonly state: 'Active' | 'Suspended' | 'Revoked';
  /** Absent: the key belongs to no client. */
  readonly clientState?: 'Active' | 'Suspended';
  readonly terms: KeyTerms;
  readonly credentials: readonly VerifiableCredential[];
};

/** A complete value as text, or parts that were parsed before (of a KeyPair: by `parsePair`). */
export type Presented = string | { readonly keyId: string; readonly secret: string };

/** What the request and the gate say. Headers as received; absent and empty mean the same. */
export type VerdictContext = {
  readonly nowMs: number;
  /** May throw MasterKeyVersionMissing, which then is the gate's failure and so a no. */
  readonly pepper: (version: number) => Uint8Array;
  readonly origin?: string | undefined;
  readonly referer?: string | undefined;
  /** Client address as text, without port. */
  readonly address?: string | undefined;
  /** The product by grant that the request belongs to; absent: it needs no grant. */
  readonly productRef?: string | undefined;
  /** Why nobody may make this request, whatever is granted; absent: nothing speaks against it. */
  readonly productRefusal?: Refusal | undefined;
  /** Uses left in the window, of this call's lease or count; absent: not known. -1: unlimited. */
  readonly quotaRemaining?: number | undefined;
};

/** A proven yes. */
type Admission = {
  readonly type: 'Allowed';
  readonly keyId: string;
  /** The slot that matched. */
  readonly slot: string;
  /** PathUnknown: allowed by `unknownPath`, because the request did not say its path. */
  readonly origin: 'Allowed' | 'PathUnknown';
};

/** The gate's answer. */
export type Verdict = Admission | Refusal;

/** Whether values of the credential are accepted: by state, and while retiring until its instant. */
export function isLive(credential: Standing['credential'], nowMs: number): boolean {
  const { state, retireAtMs } = credential;
  if (state === 'Retiring') return retireAtMs !== undefined && nowMs < retireAtMs;
  return state === 'Sealed' || state === 'Published' || state === 'Active';
}

/** Whether the time of this slot's value is over: nobody accepts it then, as if it were replaced already. */
export function isSlotOver(
  slots: readonly Pick<VerifiableSlot, 'name' | 'retireAtMs'>[],
  name: string,
  nowMs: number,
): boolean {
  const end = slots.find((slot) => slot.name === name)?.retireAtMs;
  // By what it is not, so that a time that is none is over.
  return end !== undefined && !(nowMs < end);
}

/**
 * The verdict about one request. Counts nothing: a caller that takes uses from a lease asks
 * `verdictBeforeQuota` first, so that refused calls cost no use.
 *
 * @param record what the lookup by keyId found; undefined: nothing
 */
export function verdict(
  record: VerifiableKey | undefined,
  presented: Presented,
  context: VerdictContext,
): Verdict {
  const answer = verdictBeforeQuota(record, presented, context);
  if (answer.type === 'Refused' || record === undefined) return answer;
  return findQuotaRefusal(record.terms, context.quotaRemaining) ?? answer;
}

/** As `verdict`, without the last check. `quotaRemaining` is not looked at. */
export function verdictBeforeQuota(
  record: VerifiableKey | undefined,
  presented: Presented,
  context: VerdictContext,
): Verdict {
  const parts = readPresented(presented);
  if (parts === undefined) return REFUSALS.MalformedKey;
  const credential = record?.credentials.find(({ keyId }) => keyId === parts.keyId);
  const slots = credential?.slots ?? [];
  const digests = joinDigests(slots.map(({ digest }) => digest));
  const slot = proveSecret({ kinds: slots, digests }, parts, context.pepper);
  if (record === undefined || credential === undefined) return REFUSALS.UnknownKey;
  if (slot === undefined || isSlotOver(slots, slot, context.nowMs)) return REFUSALS.WrongSecret;
  const standing = { ...record, credential, validity: record.terms };
  const origin = judgeProven(standing, compileTerms(record.terms), context);
  if (typeof origin !== 'string') return origin;
  return { type: 'Allowed', keyId: parts.keyId, slot, origin };
}

/** What is in force for a credential whose secret was proven. */
export type Standing = {
  readonly state: VerifiableKey['state'];
  /** Undefined: the key belongs to no client. */
  readonly clientState?: VerifiableKey['clientState'] | undefined;
  readonly credential: {
    readonly state: VerifiableCredential['state'];
    readonly retireAtMs?: number | undefined;
  };
  readonly validity: Interval;
};

/**
 * All checks between secret and quota, in their order: of a caller who has proven that the credential
 * is his. The first no, or how far the origin was checked; see `Admission`.
 */
export function judgeProven(
  standing: Standing,
  terms: CompiledTerms,
  context: VerdictContext,
): Refusal | Admission['origin'] {
  const { nowMs } = context;
  return (
    findStateRefusal(standing, nowMs) ??
    findValidityRefusal(standing.validity, nowMs) ??
    judgeTerms(terms, context)
  );
}

/** The refusal by quota, or undefined; `quotaRemaining` as in the context. */
export function findQuotaRefusal(
  terms: Pick<KeyTerms, 'quota'>,
  quotaRemaining: number | undefined,
): Refusal | undefined {
  const { quota } = terms;
  if (quota === undefined || quota.requests === UNLIMITED) return undefined;
  if (quota.requests === 0) return REFUSALS.QuotaUsedUp;
  if (quotaRemaining === undefined) return REFUSALS.QuotaUnknown;
  return coversUse(quotaRemaining) ? undefined : REFUSALS.QuotaUsedUp;
}

type Parts = Exclude<Presented, string>;

function readPresented(presented: Presented): Parts | undefined {
  if (typeof presented === 'string') return parseValue(presented);
  return isKeyId(presented.keyId) && isSecret(presented.secret) ? presented : undefined;
}

/**
 * Name of the slot whose secret this is; undefined: of none. Looks at all of them, and at a dummy where
 * there is none, so that a credential that does not exist costs what a wrong secret costs.
 *
 * @throws KeywardError of `pepper`
 */
export function proveSecret(
  { kinds, digests }: ProvableSlots,
  parts: Parts,
  pepper: VerdictContext['pepper'],
): string | undefined {
  if (kinds.length === 0) {
    isDigestAt(DUMMY_DIGEST, 0, digestText({ ...parts, pepper: DUMMY_PEPPER }));
    return undefined;
  }
  let found: string | undefined;
  let digest = DUMMY_DIGEST;
  let digestVersion: number | undefined;
  let number = 0;
  for (const { name, pepperVersion } of kinds) {
    // Values of one credential mostly share their pepper: one digest serves them all.
    if (pepperVersion !== digestVersion) {
      digestVersion = pepperVersion;
      const { keyId, secret } = parts;
      digest = digestText({ keyId, secret, pepper: pepper(digestVersion) });
    }
    if (isDigestAt(digests, number, digest)) found = name;
    number += 1;
  }
  return found;
}

/** As `proveSecret`, of a value that was made elsewhere; there is never none. */
export function proveForeign(
  { kinds, digests }: ProvableSlots,
  { keyId, value }: { readonly keyId: string; readonly value: string },
  pepper: (version: number) => Readonly<Uint8Array>,
): string | undefined {
  let found: string | undefined;
  let number = 0;
  for (const { name, pepperVersion } of kinds) {
    const digest = foreignDigestText({ pepper: pepper(pepperVersion), keyId, value });
    if (isDigestAt(digests, number, digest)) found = name;
    number += 1;
  }
  return found;
}

function findStateRefusal(standing: Standing, nowMs: number): Refusal | undefined {
  if (standing.state === 'Revoked') return REFUSALS.KeyRevoked;
  if (!isLive(standing.credential, nowMs)) return REFUSALS.ValueReplaced;
  if (standing.state !== 'Active') return REFUSALS.KeySuspended;
  const { clientState } = standing;
  return clientState === undefined || clientState === 'Active'
    ? undefined
    : REFUSALS.ClientSuspended;
}

function findValidityRefusal(interval: Interval, nowMs: number): Refusal | undefined {
  const validity = validityAt(interval, nowMs);
  if (validity === 'Valid') return undefined;
  return validity === 'Over' ? REFUSALS.Expired : REFUSALS.NotYetEffective;
}

function judgeTerms(terms: CompiledTerms, context: VerdictContext): Refusal | Admission['origin'] {
  const origin =
    terms.originPolicy === undefined ? 'Allowed' : matchOrigin(terms.originPolicy, context);
  if (origin === 'Missing') return REFUSALS.OriginMissing;
  if (origin === 'NotAllowed') return REFUSALS.OriginNotAllowed;
  if (terms.networks !== undefined && !isInside(terms.networks, context.address)) {
    return REFUSALS.AddressNotAllowed;
  }
  const { productRef, productRefusal } = context;
  if (productRefusal !== undefined) return productRefusal;
  if (productRef !== undefined && !terms.productRefs.has(productRef)) {
    return REFUSALS.ProductNotAllowed;
  }
  return origin;
}
