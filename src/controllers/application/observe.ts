/** Reads everything a decision needs into one World. Changes nothing. */
import type { Ref } from '../../api/meta.ts';
import { MINUTE_MS } from '../../kernel/time.ts';
import type { FormRecord } from '../../ledger/form.ts';
import type { Deps } from './deps.ts';
import { sightOf } from './serving.ts';
import { servedName, viewForm } from './view.ts';
import type { FormView, ProofFact, World } from './world.ts';

/** As for keys: Kubernetes itself tolerates minutes, and a stepped clock is off by hours. */
const SKEW_MAX_MS = 5 * MINUTE_MS;
/** The Date header has whole seconds, so a smaller difference is none that was measured. */
const SKEW_UNSEEN_MS = 2_000;

/** Undefined: neither the cluster nor the ledger knows this name. */
export async function observe(deps: Deps, ref: Ref): Promise<World | undefined> {
  const cached = deps.forms.get(ref);
  const form = cached && deps.ownStatus.newest(viewForm(cached));
  const [own, live] = await Promise.all([
    form === undefined ? undefined : deps.ledger.loadDocument('Form', form.uid),
    deps.ledger.findDocument('Form', ref),
  ]);
  const record = form === undefined ? live : own;
  if (form === undefined && record === undefined) return undefined;
  const skewMs = deps.client.clockSkewMs;
  const proof = deps.proof();
  return {
    ref,
    nowMs: deps.clock.nowMs(),
    isClockTrusted: Math.abs(skewMs) <= SKEW_MAX_MS,
    form,
    record,
    predecessor: form === undefined || live?.uid === form.uid ? undefined : live,
    proof,
    editedAfterMs: form === undefined ? 0 : editedAfterMs(deps, form, { record, proof }),
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

function editedAfterMs(
  { client, clock, sightings }: Deps,
  form: FormView,
  { record, proof }: { readonly record: FormRecord | undefined; readonly proof: ProofFact },
): number {
  const skewMs = Math.abs(client.clockSkewMs) < SKEW_UNSEEN_MS ? 0 : client.clockSkewMs;
  if (record === undefined) return form.createdMs - skewMs;
  const { uid, generation } = form;
  const { seen } = record;
  if (seen.generation !== generation) {
    return Math.max(seen.atMs, sightings.lastMs(uid, seen.generation) ?? 0);
  }
  if (proof.type === 'Proven' && seen.atMs < proof.sinceMs) {
    sightings.note(uid, generation, clock.nowMs());
  }
  return seen.atMs;
}
