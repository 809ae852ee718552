/**
 * Composition of `keyward restore --rebind`: the grants of a lost cluster for the forms of the one that was
 * made in its place. Shows what would happen; `--yes` does it.
 */
import { type KubeObject, refText } from '../api/meta.ts';
import { LEASES } from '../api/names.ts';
import { table } from '../cli/output.ts';
import { databaseConfig } from '../config/commands.ts';
import type { Flags } from '../config/layers.ts';
import {
  carryOver,
  type CarryOver,
  type NewSurroundings,
} from '../controllers/application/carryover.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import { formatTime, parseTime, SECOND_MS } from '../kernel/time.ts';
import { carryClient } from '../ledger/clients.ts';
import type { ClientRecord } from '../ledger/documents.ts';
import type { FormRecord } from '../ledger/form.ts';
import { openArchive } from '../ledger/open.ts';
import { readBound, rebindArchive, type BoundDatabase, type Succession } from '../ledger/rebind.ts';
import { commandLineActor } from './actor.ts';
import { LEASE_NAME } from './leadership.ts';
import { readCluster, storeKey, type NewCluster } from './newcluster.ts';
import { withSession, type Session } from './session.ts';

const INCARNATION_BYTES = 16;

/** What becomes of one form, for people. */
type Outcome = { readonly old: FormRecord; readonly carried: CarryOver };

/** `keyward restore --rebind` */
export async function runRebind(flags: Flags): Promise<void> {
  const database = await databaseConfig(flags);
  const isMeant = flags['yes'] === true;
  await withSession(flags, async (session) => {
    await expectNoLeader(session, flags);
    const cluster = await readCluster(session.client);
    const archive = await openArchive(database, isMeant ? 'Change' : 'Look');
    try {
      const bound = await readBound(archive);
      if (bound.clusterId === cluster.clusterId) {
        session.output.note(`${archive.label} belongs to this cluster already; nothing to do\n`);
        return;
      }
      const outcomes = outcomesOf(bound, cluster, session.nowMs);
      print(session, bound, outcomes);
      if (!isMeant) {
        session.output.note('nothing was changed; add --yes to do this\n');
        return;
      }
      await rebindArchive(archive, {
        actor: commandLineActor(),
        atMs: session.nowMs,
        incarnation: systemEntropy(INCARNATION_BYTES).toString('hex'),
        clusterId: cluster.clusterId,
        keyUids: cluster.keyUids,
        successions: [
          ...outcomes.map(formSuccession),
          ...bound.clients.map((old) => clientSuccession(old, cluster)),
        ],
      });
      session.output.note(whatFollows(bound));
    } finally {
      await archive.close();
    }
  });
}

function outcomesOf(bound: BoundDatabase, cluster: NewCluster, nowMs: number): readonly Outcome[] {
  return bound.forms.map((old) => ({
    old,
    carried: carryOver(old, surroundingsOf(old, bound, cluster), nowMs),
  }));
}

function surroundingsOf(
  old: FormRecord,
  bound: BoundDatabase,
  { clusterId, forms, stores, clients }: NewCluster,
): NewSurroundings {
  const { namespace, issuedTo, grant, nextGrant } = old;
  const isRevoked = issuedTo !== undefined && bound.revokedKeys.has(issuedTo.keyUid);
  const seen = {
    clusterId,
    form: forms.get(refText(old)),
    keyWas: isRevoked ? ('Revoked' as const) : ('NotRevoked' as const),
  };
  const content = (nextGrant ?? grant)?.content;
  if (content === undefined) {
    return { ...seen, store: undefined, client: undefined, storeWas: undefined };
  }
  const { storeRef, client } = content;
  const { kind, name } = storeRef;
  return {
    ...seen,
    store: stores.get(storeKey(kind, { namespace: kind === 'KeyStore' ? namespace : '', name })),
    client: clients.get(refText({ namespace, name: client.name })),
    storeWas: bound.storeTypes.get(storeRef.uid),
  };
}

function formSuccession({ old, carried }: Outcome): Succession {
  return carried.type === 'Carried'
    ? { kind: 'Form', old, next: carried.form, because: '' }
    : { kind: 'Form', old, next: undefined, because: carried.because };
}

/** What reviewers decided about a client goes on to hold for the client of the same name. */
function clientSuccession(old: ClientRecord, { clusterId, clients }: NewCluster): Succession {
  const client = clients.get(refText(old));
  if (client === undefined) return { kind: 'Client', old, next: undefined };
  const { uid, state: wanted } = client;
  return { kind: 'Client', old, next: carryClient(old, { clusterId, uid, wanted }) };
}

function print({ output, paint, nowMs }: Session, bound: BoundDatabase, all: readonly Outcome[]) {
  const { clusterId, lastMs = nowMs, keys } = bound;
  output.note(
    `the database belongs to cluster ${clusterId} and was last written at ${formatTime(lastMs)}; its ${keys} keys end\n`,
  );
  const rows = all.map(({ old, carried }) => [
    old.namespace,
    old.name,
    old.applicant.username,
    carried.type === 'Carried'
      ? ({ text: 'Carried', tone: 'Good' } as const)
      : ({ text: 'Ends', tone: 'Bad' } as const),
    carried.type === 'Carried' ? '' : carried.because,
  ]);
  output.data(table(['NAMESPACE', 'APPLICATION', 'APPLICANT', 'GRANT', 'WHY'], rows, paint));
}

function whatFollows({ keys }: BoundDatabase): string {
  const rest =
    keys === 0
      ? ''
      : `; start the operator once with --accept-vanished, which ends the ${keys} old keys`;
  return `the database belongs to this cluster now${rest}\n`;
}

/** With PostgreSQL nothing else would keep two from writing at a time; SQLite has its lock besides. */
async function expectNoLeader({ client, nowMs }: Session, flags: Flags): Promise<void> {
  const { namespace = 'keyward-system' } = flags;
  const lease = await client.get(LEASES, { namespace: String(namespace), name: LEASE_NAME });
  const { holderIdentity = '', renewTime = '', leaseDurationSeconds = 0 } = leaseSpec(lease);
  const endMs = (parseTime(renewTime) ?? 0) + leaseDurationSeconds * SECOND_MS;
  if (holderIdentity === '' || endMs < nowMs) return;
  throw new KeywardError('Terminal', {
    reason: 'OperatorRuns',
    message: `operator '${holderIdentity}' leads here until ${formatTime(endMs)}; stop it first`,
  });
}

type LeaseSpec = {
  readonly holderIdentity?: string;
  readonly renewTime?: string;
  readonly leaseDurationSeconds?: number;
};

function leaseSpec(lease: KubeObject | undefined): LeaseSpec {
  // As coordination.k8s.io/v1 says.
  return (lease as KubeObject<{ readonly spec?: LeaseSpec }> | undefined)?.spec ?? {};
}
