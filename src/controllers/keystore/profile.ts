/**
 * What gates have to know of a built-in store: the profile in whose shape they answer. A gate that knows
 * nothing of a store answers in Keyward's own, so a store with that profile is written only when another one was known.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { StoreProfile, StoreRecord } from '../../ledger/documents.ts';
import type { Ledger } from '../../ledger/port.ts';
import { ledgerMoved } from '../../runtime/behind.ts';
import type { World } from './world.ts';

/** What it takes to write a profile into the ledger. */
export type ProfileDeps = {
  readonly ledger: Pick<Ledger, 'loadDocument' | 'commitDocuments'>;
  readonly clock: Clock;
  readonly clusterId: string;
  readonly epoch: () => number;
};

/** The profile that gates are to know and do not; undefined: they know, or need not. Pure. */
export function untoldProfile({
  store,
  handle,
  document,
}: Pick<World, 'store' | 'handle' | 'document'>): StoreProfile | undefined {
  // While the settings contradict each other, what is known stays.
  if ('problem' in handle || handle.type !== 'Local') return undefined;
  const known = document?.uid === store.uid ? document.profile : 'Keyward';
  return known === handle.profile ? undefined : handle.profile;
}

/** Lets gates know the profile. Safe to repeat. @throws KeywardError Conflict when somebody else did */
export async function tellProfile(
  deps: ProfileDeps,
  { store: { uid, ref }, document }: Pick<World, 'store' | 'document'>,
  profile: StoreProfile,
): Promise<StoreRecord> {
  const earlier = document?.uid === uid ? document : await deps.ledger.loadDocument('Store', uid);
  const { clusterId } = deps;
  const revision = earlier?.revision ?? 0;
  const record = { clusterId, uid, ...ref, revision, phase: 'Live', profile } as const;
  return await commit(deps, record, revision === 0 ? 'StoreOpened' : 'StoreChanged');
}

/** Ends what gates know of a store that goes or is gone. */
export async function endProfile(deps: ProfileDeps, record: StoreRecord): Promise<void> {
  await commit(deps, { ...record, phase: 'Ended' }, 'StoreEnded');
}

async function commit(
  { ledger, clock, epoch }: ProfileDeps,
  document: StoreRecord,
  action: string,
): Promise<StoreRecord> {
  const { namespace, name, profile, revision } = document;
  const { type } = await ledger.commitDocuments({
    changes: [{ kind: 'Store', document, expectedRevision: revision }],
    epoch: epoch(),
    audit: {
      action,
      actor: 'operator',
      atMs: clock.nowMs(),
      facts: { namespace, store: name, profile },
    },
  });
  if (type === 'Committed') return { ...document, revision: revision + 1 };
  throw ledgerMoved(`store '${name}'`, type);
}
