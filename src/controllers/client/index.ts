/**
 * The controller of ApiClients: keeps in the ledger what is in force for each, and shows it. Which
 * decisions of reviewers there are is the review controller's to commit; whoever commits second decides
 * again on what the first has left.
 */
import { EVENT_REASONS } from '../../api/conditions.ts';
import { refText, type Ref } from '../../api/meta.ts';
import { API_CLIENTS, API_VERSION } from '../../api/names.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { KeywardError } from '../../kernel/errors.ts';
import { isSameJson } from '../../kernel/samejson.ts';
import { MINUTE_MS } from '../../kernel/time.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Cache, KubeClient } from '../../kube/port.ts';
import { statusDraft } from '../../kube/statusdraft.ts';
import { clientState } from '../../ledger/clients.ts';
import type { ClientRecord } from '../../ledger/documents.ts';
import { keptOf } from '../../ledger/keptclients.ts';
import type { Ledger } from '../../ledger/port.ts';
import { cacheBehind, ledgerMoved } from '../../runtime/behind.ts';
import type { Lane } from '../../runtime/lanes.ts';
import type { Steps } from '../../runtime/pipeline.ts';
import { anyOf, wakeItself, whenChanged } from '../../runtime/trigger.ts';

import { nextAction, type Action } from './plan.ts';
import { wantedStatus } from './status.ts';
import type { ClientView, KeyCount, World } from './world.ts';

/** Keys are counted this often; status holds nothing that changes with each of them. */
const RECOUNT_MS = MINUTE_MS;

/** What the controller works with. */
export type Deps = {
  readonly clients: Pick<Cache<ClientView>, 'get'>;
  readonly client: Pick<KubeClient, 'get' | 'replaceStatus'>;
  readonly ledger: Pick<Ledger, 'loadDocument' | 'findDocument' | 'commitDocuments'>;
  readonly clock: Clock;
  readonly clusterId: string;
  readonly epoch: () => number;
  /** Names of the stores that serve the namespace and take only reviewed clients. */
  readonly registrars: (namespace: string) => readonly string[];
  /** Absent: the keys are not known yet. */
  readonly countKeys: (uid: string) => KeyCount | undefined;
  readonly events: EventRecorder;
};

/** A client appeared, went, or was edited; our own status wakes nothing. */
export const onClient = wakeItself(
  anyOf<ClientView>(
    whenChanged((client) => client.uid),
    whenChanged((client) => client.generation),
    whenChanged((client) => client.isDeleting),
  ),
  ({ previous, current }): Lane =>
    previous?.spec.state === current?.spec.state ? 'normal' : 'urgent',
);

/** The steps for the pipeline. */
export function clientSteps(deps: Deps): Steps<World, Action> {
  return {
    name: 'apiclient',
    observe: (ref) => observe(deps, ref),
    next: nextAction,
    apply: (world, action, signal) => apply(deps, world, action, signal),
    report: (world, failure, signal) => report(deps, world, failure, signal),
    lookAgainAtMs: ({ client, nowMs }) =>
      client === undefined || client.isDeleting ? undefined : nowMs + RECOUNT_MS,
    lookAgainLane: () => 'bulk',
  };
}

async function observe(deps: Deps, ref: Ref): Promise<World | undefined> {
  const client = deps.clients.get(ref);
  const [own, live] = await Promise.all([
    client === undefined ? undefined : deps.ledger.loadDocument('Client', client.uid),
    deps.ledger.findDocument('Client', ref),
  ]);
  const record = client === undefined ? live : own;
  if (client === undefined && record === undefined) return undefined;
  return {
    ref,
    nowMs: deps.clock.nowMs(),
    client,
    record,
    predecessor: client === undefined || live?.uid === client.uid ? undefined : live,
    registrars: deps.registrars(ref.namespace),
    keys: client && deps.countKeys(client.uid),
    isProvenGone: false,
  };
}

async function apply(
  deps: Deps,
  world: World,
  action: Action,
  signal: AbortSignal,
): Promise<World> {
  switch (action.type) {
    case 'ProveGone':
      return proveGone(deps, world, action.record, signal);
    case 'End':
      return end(deps, world, action.record);
    case 'Open':
      return open(deps, world, action.kept);
    case 'Follow':
      return follow(deps, world, action.record, action.state);
  }
}

/** One live read, because what ends with a client never comes back. */
async function proveGone(
  deps: Deps,
  world: World,
  { uid }: ClientRecord,
  signal: AbortSignal,
): Promise<World> {
  const object = await deps.client.get(API_CLIENTS, world.ref, { signal });
  if (object?.metadata.uid !== uid) return { ...world, isProvenGone: true };
  throw cacheBehind(`ApiClient ${refText(world.ref)}`);
}

async function end(deps: Deps, world: World, record: ClientRecord): Promise<World> {
  const kept = keptOf(record);
  const before = kept && (await deps.ledger.loadDocument('Client', kept.uid));
  const after = kept && { ...kept, revision: before?.revision ?? 0 };
  const [ended, left] = await commit(
    deps,
    [{ ...record, phase: 'Ended' }, ...(after === undefined ? [] : [after])],
    'ClientEnded',
  );
  return world.client === undefined ? { ...world, record: ended } : { ...world, predecessor: left };
}

async function open(deps: Deps, world: World, kept: ClientRecord | undefined): Promise<World> {
  const { client, ref } = world;
  if (client === undefined) throw new TypeError('only a client that is there is opened');
  const held = kept?.held;
  const opened: ClientRecord = {
    clusterId: deps.clusterId,
    uid: client.uid,
    ...ref,
    revision: 0,
    phase: 'Live',
    state: clientState(client.spec.state, held),
    ...(held === undefined ? {} : { held }),
  };
  const ended = kept === undefined ? [] : [{ ...kept, phase: 'Ended' as const }];
  const [record] = await commit(deps, [opened, ...ended], 'ClientSeen');
  return { ...world, record, predecessor: undefined };
}

async function follow(
  deps: Deps,
  world: World,
  record: ClientRecord,
  state: ClientRecord['state'],
): Promise<World> {
  const action = state === 'Active' ? 'ClientResumed' : 'ClientSuspended';
  const [followed] = await commit(deps, [{ ...record, state }], action);
  deps.events.record({
    regarding: { apiVersion: API_VERSION, kind: 'ApiClient', ref: world.ref, uid: record.uid },
    type: EVENT_REASONS[action].type,
    reason: action,
    action: 'Switch',
    note: EVENT_REASONS[action].sentence,
  });
  return { ...world, record: followed };
}

/** All or none; the audit entry is about the first. */
async function commit(
  deps: Deps,
  documents: readonly [ClientRecord, ...(readonly ClientRecord[])],
  action: string,
): Promise<readonly [ClientRecord, ...(readonly ClientRecord[])]> {
  const [{ namespace, name, state }] = documents;
  const { type } = await deps.ledger.commitDocuments({
    changes: documents.map((document) => ({
      kind: 'Client',
      document,
      expectedRevision: document.revision,
    })),
    epoch: deps.epoch(),
    audit: {
      action,
      actor: 'operator',
      atMs: deps.clock.nowMs(),
      facts: { namespace, client: name, state },
    },
  });
  const [first, ...others] = documents;
  if (type === 'Committed') return [committed(first), ...others.map(committed)];
  throw ledgerMoved(`ApiClient ${namespace}/${name}`, type);
}

function committed(document: ClientRecord): ClientRecord {
  return { ...document, revision: document.revision + 1 };
}

async function report(
  deps: Deps,
  world: World,
  failure: KeywardError | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { client } = world;
  const status = wantedStatus(world, failure);
  if (client === undefined || status === undefined || isSameJson(status, client.status)) return;
  await deps.client.replaceStatus(API_CLIENTS, statusDraft(API_CLIENTS, client, status), {
    signal,
  });
}
