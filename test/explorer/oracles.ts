/**
 * What must hold. `violations` in every state, `regression` on every edge, `unfinished` where the
 * protocol has come to rest. Each answers with sentences; none means that all is well.
 */
import type { KeyRecord } from '../../src/ledger/record.ts';
import { isLive } from '../../src/terms/verdict.ts';
import { NOW_MS } from '../support/world.ts';
import { valueOf } from './commits.ts';
import type { Model, StoredKey, StoredSecret } from './model.ts';

/** I3 and I4. */
export function violations(model: Model): string[] {
  return Object.values(model.records).flatMap((record) => [
    ...tooMany(record),
    ...lostKey(model, record),
  ]);
}

/** At most one live credential per sequence, and two per key. */
function tooMany(record: KeyRecord): string[] {
  const live = record.credentials.filter((credential) => isLive(credential, NOW_MS));
  const sequences = new Set(live.map(({ sequence }) => sequence));
  if (sequences.size < live.length)
    return [`I4 ${record.uid}: two live credentials of one sequence`];
  return live.length > 2 ? [`I4 ${record.uid}: ${live.length} live credentials`] : [];
}

/** What the ledger calls Active can be had: from the Secret it names, or from a sealed copy. */
function lostKey(model: Model, record: KeyRecord): string[] {
  if (record.phase !== 'Live' || record.state === 'Revoked' || record.secret === undefined)
    return [];
  const secret = model.secrets[record.secret.name];
  // What belongs to an object that is gone is collected with it.
  if (model.keys[record.name]?.uid !== record.uid) return [];
  // Once people have removed or edited it, values may be gone; they are replaced by the time it rests.
  if (model.isSecretTouched) return [];
  if (secret === undefined) return [`I3 ${record.uid}: it has lost its Secret`];
  return record.credentials
    .filter(({ state, valueLost }) => state === 'Active' && valueLost !== true)
    .flatMap(({ sequence, slots }) =>
      slots
        .filter(({ sealed }) => sealed === undefined)
        .map(({ name }) => valueOf(record, sequence, name) ?? '')
        .filter((value) => !Object.values(secret.entries).includes(value))
        .map((value) => `I3 ${record.uid}: ${value} is in no place`),
    );
}

/** I7: what was dead once is never live again. */
export function regression(before: Model, after: Model): string[] {
  return Object.values(after.records).flatMap((record) => {
    const old = before.records[record.uid];
    if (old === undefined || old === record) return [];
    const known = new Set(liveValues(old));
    return liveValues(record)
      .filter((value) => !known.has(value) && !isNew(old, value))
      .map((value) => `I7 ${value} was dead and is live again`);
  });
}

/** Values the gate would accept if nobody had switched the key off. */
function liveValues(record: KeyRecord): string[] {
  if (record.phase === 'Ending' || record.phase === 'Ended' || record.state === 'Revoked')
    return [];
  return record.credentials
    .filter((credential) => isLive(credential, NOW_MS))
    .flatMap(({ sequence, slots }) =>
      slots.map(({ name }) => valueOf(record, sequence, name) ?? ''),
    );
}

function isNew(old: KeyRecord, value: string): boolean {
  const [, sequence, slot, generation] = value.split('.');
  if (Number(sequence) > old.sequence) return true;
  return old.credentials.some(
    (credential) =>
      credential.sequence === Number(sequence) &&
      credential.slots.some(
        ({ name, generation: last }) => name === slot && Number(generation) > last,
      ),
  );
}

/** I1 and I2: at rest every book says the same, and it is what was asked for. */
export function unfinished(model: Model): string[] {
  const uids = new Set(Object.values(model.keys).map(({ uid }) => uid));
  return [
    ...Object.values(model.records)
      .filter(({ uid, phase }) => !uids.has(uid) && phase !== 'Ended')
      .map(({ uid, phase }) => `I2 ${uid}: the object is gone, the record is ${phase}`),
    ...Object.entries(model.secrets)
      .filter(([, { proof }]) => proof !== undefined && !uids.has(proof.apiKeyUid))
      .map(([name]) => `I2 Secret ${name} belongs to an object that is gone`),
    ...Object.entries(model.keys).flatMap(([name, key]) =>
      unfinishedKey(model, name, key).map((what) => `I1 ${name} (${key.uid}): ${what}`),
    ),
  ];
}

function unfinishedKey(model: Model, name: string, key: StoredKey): string[] {
  const record = model.records[key.uid];
  if (key.isDeleting) return ['it is still being deleted'];
  if (key.spec.state === 'Revoked') {
    return record !== undefined && liveValues(record).length > 0 ? ['revoked and live'] : [];
  }
  if (record === undefined) return ['it was never issued'];
  const secret = model.secrets[record.secret?.name ?? key.spec.secret?.name ?? name];
  // Two keys that name one Secret: the first keeps it, the second says so and waits.
  if (secret !== undefined && secret.proof?.apiKeyUid !== key.uid) {
    return record.secret === undefined ? [] : ['its Secret has another owner'];
  }
  return [...unfinishedRecord(record, key), ...holds(record, secret, key)];
}

function unfinishedRecord(record: KeyRecord, { spec }: StoredKey): string[] {
  const requestId = spec.rotation?.requestId;
  const [current, ...others] = record.credentials.toReversed();
  return [
    ...(requestId !== undefined && record.lastRotationRequestId !== requestId
      ? ['not rotated']
      : []),
    ...(record.state === spec.state ? [] : [`it is ${record.state}`]),
    ...others.map(({ sequence }) => `credential ${sequence} is still there`),
    ...(current?.state === 'Active' ? [] : [`the credential is ${current?.state}`]),
  ];
}

function holds(record: KeyRecord, secret: StoredSecret | undefined, { spec }: StoredKey): string[] {
  // With Wait a loss stays until somebody asks; what was made must have been delivered once all the same.
  if (spec.secret?.onLoss === 'Wait') return [];
  const current = record.credentials.at(-1);
  if (secret === undefined) return ['it has no Secret'];
  if (current === undefined) return [];
  const values = current.slots.map(({ name }) => valueOf(record, current.sequence, name) ?? '');
  const texts = Object.values(secret.entries);
  return values.every((value) => texts.includes(value)) ? [] : ['the Secret holds other values'];
}
