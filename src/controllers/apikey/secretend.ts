/** The end of a Secret at the API server: deleted where it is ours, left alone where it is not. */
import type { Ref } from '../../api/meta.ts';
import { SECRETS } from '../../api/names.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { Deps } from './deps.ts';
import { isMarked, provesOurs, type Secret } from './proof.ts';

/** Deletes the Secret of a dead key; one that is not ours, or is gone, is left alone. */
export async function deleteSecret(
  deps: Deps,
  record: KeyRecord,
  signal: AbortSignal,
): Promise<void> {
  const ref = { namespace: record.namespace, name: record.secret?.name ?? record.name };
  const uid = record.secret?.uid ?? (await provenUid(deps, record, ref, signal));
  if (uid === undefined) return;
  try {
    await deps.client.delete(SECRETS, { ...ref, uid }, { signal });
  } catch (error) {
    // The UID precondition failed: another object has the name, ours is gone.
    if (error instanceof KeywardError && error.class === 'Conflict') return;
    if (!isForbidden(error) || !isDead(record)) throw error;
    if (isMarked(await read(deps, ref, signal))) throw error;
  }
}

/** True for the API server's 403. */
export function isForbidden(error: unknown): boolean {
  return error instanceof KeywardError && error.reason === 'Forbidden';
}

/** The process may have died between the POST and the commit that remembers it. */
async function provenUid(
  deps: Deps,
  record: KeyRecord,
  ref: Ref,
  signal: AbortSignal,
): Promise<string | undefined> {
  const secret = await read(deps, ref, signal);
  return secret !== undefined && provesOurs(deps, record, secret) ? secret.metadata.uid : undefined;
}

/** Nothing that was ever in the Secret lets anybody in. */
function isDead({ credentials }: KeyRecord): boolean {
  return credentials.every(({ state }) => state === 'Disabled');
}

async function read(deps: Deps, ref: Ref, signal: AbortSignal): Promise<Secret | undefined> {
  // The API server's own shape of a Secret; annotations prove whose it is before it is used.
  return (await deps.client.get(SECRETS, ref, { signal })) as Secret | undefined;
}
