/**
 * Whose a live Secret is, and whether it is as we left it. Labels and owner references prove nothing,
 * because tenants can write them; our MAC over the entries does.
 */
import type { KubeObject } from '../../api/meta.ts';
import { ANNOTATION_FINGERPRINT, ANNOTATION_MAC, LABEL_API_KEY } from '../../api/names.ts';
import { fingerprintEntries, type SecretBinding, verifyMac } from '../../keys/fingerprint.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { Deps } from './deps.ts';
import type { SecretLayout } from './secret.ts';
import type { Inspection, World } from './world.ts';

/** A Secret as the API server sends it. */
export type Secret = KubeObject<{
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}>;

/** What the live Secret of this key is. */
export function judge(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  secret: Secret | undefined,
): Inspection {
  const known = world.record?.secret;
  if (secret === undefined || world.record === undefined) return { type: 'Absent' };
  const { uid, resourceVersion } = secret.metadata;
  const isKnown = known?.uid === uid;
  if (!isKnown && !mayAdopt(deps, world.record, secret, layout)) return { type: 'Foreign' };
  const fingerprint = fingerprintOf(secret, [...layout.entries.keys()]);
  if (fingerprint === known?.fingerprint && isKnown) {
    return { type: wears(secret, layout) ? 'Intact' : 'Altered', uid, resourceVersion };
  }
  return {
    type: provesOurs(deps, world.record, secret) ? 'Altered' : 'Tampered',
    uid,
    resourceVersion,
  };
}

/** True when labels, annotations and owner are as we want them; what others added does not matter. */
function wears(secret: Secret, layout: SecretLayout): boolean {
  const { labels, annotations, ownerReferences } = secret.metadata;
  const has = (all: Readonly<Record<string, string>> | undefined, ours: object): boolean =>
    Object.entries(ours).every(([name, text]) => all?.[name] === text);
  const isProven =
    annotations?.[ANNOTATION_FINGERPRINT] !== undefined &&
    annotations[ANNOTATION_MAC] !== undefined;
  const isOwned =
    layout.owner === undefined ||
    ownerReferences?.some((owner) => owner.uid === layout.owner?.uid) === true;
  return has(labels, layout.labels) && has(annotations, layout.annotations) && isProven && isOwned;
}

/** An object we did not make ourselves is ours all the same when it is our Secret put back. */
export function mayAdopt(
  deps: Deps,
  record: KeyRecord,
  secret: Secret,
  layout: SecretLayout,
): boolean {
  // A type cannot be changed, so another one would stay what nobody asked for.
  return secret.type === layout.type && provesOurs(deps, record, secret);
}

/**
 * False when whoever replaced it took both label and MAC away; then admission refuses our account every
 * write to it (deploy/admission/operator-secrets.yaml), as to any Secret that we did not write.
 */
export function isMarked(secret: Secret | undefined): boolean {
  const { labels, annotations } = secret?.metadata ?? {};
  return labels?.[LABEL_API_KEY] !== undefined || annotations?.[ANNOTATION_MAC] !== undefined;
}

/** Our MAC stands on it, over the entries that are in it, for this ApiKey, under one of its sequences. */
export function provesOurs(deps: Deps, record: KeyRecord, secret: Secret): boolean {
  const annotations = secret.metadata.annotations ?? {};
  const mac = annotations[ANNOTATION_MAC];
  const fingerprint = annotations[ANNOTATION_FINGERPRINT];
  if (mac === undefined || fingerprint === undefined) return false;
  const sequences = new Set([record.sequence, ...record.credentials.map((c) => c.sequence)]);
  for (let back = 1; back <= SEQUENCES_BACK; back += 1) sequences.add(record.sequence - back);
  return [...sequences].some((sequence) =>
    verifyMac(deps.keyring, binding(record, secret.metadata.name, sequence, fingerprint), mac),
  );
}

/** How many sequences a Secret may be behind and still be known as ours; each costs one HMAC. */
const SEQUENCES_BACK = 8;

/** What our MAC on a Secret ties together. */
export function binding(
  record: KeyRecord,
  name: string,
  sequence: number,
  fingerprint: string,
): SecretBinding {
  const { namespace, uid: apiKeyUid } = record;
  return { namespace, name, apiKeyUid, sequence, fingerprint };
}

function fingerprintOf(secret: Secret, names: readonly string[]): string {
  // Entries may be called as members that every object has.
  const data = new Map(Object.entries(secret.data ?? {}));
  return fingerprintEntries(
    Object.fromEntries(names.map((name) => [name, Buffer.from(data.get(name) ?? '', 'base64')])),
  );
}
