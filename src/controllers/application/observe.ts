/** Reads everything a decision needs into one World. Changes nothing. */
import type { Ref } from '../../api/meta.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { Deps } from './deps.ts';
import { isNewest } from './cluster.ts';
import { sightOf } from './serving.ts';
import { servedName, viewForm } from './view.ts';
import type { EditFact, FormView, World } from './world.ts';

/** Clocks are set right by less than this all the time. */
const STEP_UNSEEN_MS = SECOND_MS;

/** Undefined: neither the cluster nor the ledger knows this name. */
export async function observe(
  deps: Deps,
  ref: Ref,
  signal?: AbortSignal,
): Promise<World | undefined> {
  const cached = deps.forms.get(ref);
  const form = cached && deps.ownStatus.newest(viewForm(cached));
  const [own, live] = await Promise.all([
    form === undefined ? undefined : deps.ledger.loadDocument('Form', form.uid),
    deps.ledger.findDocument('Form', ref),
  ]);
  const record = form === undefined ? live : own;
  if (form === undefined && record === undefined) return undefined;
  const nowMs = deps.clock.nowMs();
  const predecessor = form === undefined || live?.uid === form.uid ? undefined : live;
  return {
    ref,
    nowMs,
    isClockTrusted: deps.client.isClockTrusted,
    form,
    record,
    predecessor,
    edit:
      form === undefined || form.isDeleting
        ? NO_EDIT
        : await judgeEdit(deps, form, { record, signal }),
    awaitsReview: record !== undefined && awaitsReview(deps, record, nowMs),
    mayEndVanished: deps.guard.permits(predecessor ?? (form === undefined ? record : undefined)),
    ...(await around(deps, form, record)),
    evidence: {},
  };
}

type Around = Pick<World, 'store' | 'client' | 'isGrantClientGone' | 'products' | 'apiKey'>;

/** Of a form that is gone nothing is asked but its record. */
const NOTHING_AROUND: Around = {
  store: { type: 'Missing', name: 'the store' },
  client: { type: 'Unnamed' },
  isGrantClientGone: false,
  products: [],
  apiKey: { type: 'Absent' },
};

async function around(
  { surroundings, ledger }: Deps,
  form: FormView | undefined,
  record: FormRecord | undefined,
): Promise<Around> {
  if (form === undefined) return NOTHING_AROUND;
  const { namespace, name } = form.ref;
  const client = await surroundings.client(form);
  const grantedTo = record?.grant?.content.client.uid;
  // Only of a client that is not there any more the ledger has to be asked.
  const isThere =
    grantedTo === undefined || (client.type === 'Present' && client.uid === grantedTo);
  const former = isThere ? undefined : await ledger.loadDocument('Client', grantedTo);
  return {
    store: surroundings.store(form),
    client,
    isGrantClientGone: former?.phase === 'Ended',
    products: surroundings.products(form),
    apiKey: sightOf(form, surroundings.apiKey({ namespace, name: servedName(form.spec, name) })),
  };
}

/** Reviews are looked through for a round that would lapse; any other waits anyway. */
function awaitsReview(
  { surroundings, overtime }: Deps,
  record: FormRecord,
  nowMs: number,
): boolean {
  const { round, uid } = record;
  const isOver = round?.state === 'Pending' && (round.deadlineMs ?? Infinity) <= nowMs;
  if (isOver && surroundings.isReviewWaiting(record)) return overtime.lasts(uid, nowMs);
  overtime.forget(uid);
  return false;
}

const NO_EDIT: EditFact = { type: 'None' };

/** Judged by the earliest instant at which the newest edit can have happened. */
async function judgeEdit(
  deps: Deps,
  form: FormView,
  {
    record,
    signal,
  }: { readonly record: FormRecord | undefined; readonly signal: AbortSignal | undefined },
): Promise<EditFact> {
  const { proof, clock, sightings } = deps;
  const { uid, generation, createdMs } = form;
  const { seen } = record ?? {};
  // Generations only grow, but in a cluster that was restored; identity.ts says so then.
  if (seen !== undefined && generation <= seen.generation) {
    await noteSighting(deps, form, { noteMs: seen.atMs, signal });
    return NO_EDIT;
  }
  const seenMs = clock.nowMs();
  const now = await proof.prove();
  if (now.state === 'NotProven') {
    sightings.await(form.ref);
    return { type: 'Awaiting', why: now.reason };
  }
  const lastMs = seen && Math.max(seen.atMs, sightings.lastMs(uid, seen.generation) ?? 0);
  // Noted by a clock that was wrong, it says nothing; that there was no edit before the creation is certain.
  const isNoted = lastMs !== undefined && lastMs <= seenMs + STEP_UNSEEN_MS;
  const fromMs = isNoted ? lastMs : proof.atOurClock(createdMs);
  return { type: proof.covers(Math.min(fromMs, seenMs), seenMs) ? 'Proven' : 'Unproven' };
}

/**
 * Where the note of the ledger is older than the chain of proofs, one of ours goes on in its place. Read
 * live, because a watch that lags shows no edit that was made in the gap.
 */
async function noteSighting(
  deps: Deps,
  form: FormView,
  { noteMs, signal }: { readonly noteMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { proof, sightings, clock } = deps;
  const { uid, generation } = form;
  const lastMs = Math.max(noteMs, sightings.lastMs(uid, generation) ?? 0);
  if (proof.state.state !== 'Proven' || proof.covers(lastMs, lastMs)) return;
  const nowMs = clock.nowMs();
  if (await isNewest(deps, form, signal)) sightings.note(uid, generation, nowMs);
}
