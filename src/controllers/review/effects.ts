/**
 * What a judgement changes in the ledger: the latch of the review, and with a counted one the form, key or
 * client that it is about. Pure; `apply.ts` commits all of it at once.
 */
import { clientState } from '../../ledger/clients.ts';
import type { DocumentHead } from '../../ledger/document.ts';
import type {
  DocumentChange,
  HeldState,
  HoldRecord,
  ReviewRecord,
} from '../../ledger/documents.ts';
import { countReview, type Decision } from '../../ledger/formdecisions.ts';
import type { CountedReview, FormRecord } from '../../ledger/form.ts';
import type { AuditEntry, DocumentCommit } from '../../ledger/port.ts';
import { personOf } from './identity.ts';
import type { Counted, Refusal } from './judgement.ts';
import { narrowedTerms } from './narrowing.ts';
import type { ClientTarget, FormTarget, KeyTarget, World } from './world.ts';

/** A judgement that is final. */
export type Verdict = Counted | Refusal;

/** Everything of a commit but the epoch. */
type Ruling = Omit<DocumentCommit, 'epoch'> & { readonly latch: ReviewRecord };

type Facts = AuditEntry['facts'];
type Effect = { readonly change: DocumentChange; readonly action: string; readonly facts: Facts };

/** What is committed for this verdict. `clusterId` is of this cluster. */
export function rulingOf(world: World, verdict: Verdict, clusterId: string): Ruling {
  const latch = latchOf(world, verdict, clusterId);
  const latched = { kind: 'Review', document: latch, expectedRevision: 0 } as const;
  const { nowMs, review } = world;
  const facts = { ...targetFacts(world), ...reviewFacts(world) };
  if (verdict.type === 'Refused') {
    // Of a name that nobody proved the chain must not say that it acted; what names no form or another
    // one is refused before there is a proof.
    const isKnown = world.proof.type === 'Covered' && verdict.reason !== 'IdentityUnverified';
    const actor = isKnown ? latch.reviewer.username : 'operator';
    const audit = { action: 'ReviewRefused', actor, atMs: nowMs };
    return {
      latch,
      changes: [latched],
      audit: {
        ...audit,
        facts: { ...facts, decision: review.spec.decision, because: verdict.reason },
      },
    };
  }
  const effect = effectOf(world, verdict, clusterId);
  const { username } = latch.reviewer;
  return {
    latch,
    changes: [effect.change, latched],
    audit: {
      action: effect.action,
      actor: username,
      atMs: nowMs,
      facts: { ...facts, ...effect.facts },
    },
  };
}

function latchOf(
  { review, nowMs, target }: World,
  verdict: Verdict,
  clusterId: string,
): ReviewRecord {
  const { applicationRef, apiKeyRef, clientRef, decision, reviewer } = review.spec;
  const named = applicationRef ?? apiKeyRef ?? clientRef;
  return {
    clusterId,
    uid: review.uid,
    ...review.ref,
    revision: 0,
    phase: 'Live',
    target: { kind: target.kind, uid: named?.uid ?? '', name: named?.name ?? '' },
    decision,
    isCounted: verdict.type === 'Counted',
    reason: verdict.reason,
    message: verdict.message,
    reviewer: personOf(reviewer ?? { username: '' }),
    judgedMs: nowMs,
  };
}

function effectOf(world: World, verdict: Counted, clusterId: string): Effect {
  const { target } = world;
  switch (target.kind) {
    case 'ApiKeyApplication':
      return formEffect(world, target, verdict);
    case 'ApiKey':
      return keyEffect(world, target, clusterId);
    case 'ApiClient':
      return clientEffect(world, target);
  }
}

const ACTIONS: Readonly<Record<CountedReview['decision'], string>> = {
  Approved: 'RoundApproved',
  Denied: 'RoundDenied',
  Returned: 'RoundReturned',
  Revoked: 'GrantWithdrawn',
};

function formEffect(world: World, { form }: FormTarget, { reason }: Counted): Effect {
  if (form === undefined) throw new TypeError('a review counts only for a form that is known');
  const decision = decisionOf(world, form);
  const document = countReview(form, decision);
  return {
    change: { kind: 'Form', document, expectedRevision: form.revision },
    action: reason === 'Counted' ? 'ReviewCounted' : ACTIONS[decision.decision],
    facts: {},
  };
}

function decisionOf(world: World, form: FormRecord): Decision {
  const { review, nowMs } = world;
  const { decision, layer = '', reason, message, reviewer } = review.spec;
  if (decision === 'Suspended' || decision === 'Resumed') {
    throw new TypeError('a form is neither suspended nor resumed');
  }
  const narrowed = decision === 'Approved' ? narrowedTerms(world, form) : undefined;
  return {
    uid: review.uid,
    name: review.ref.name,
    decision,
    layer,
    reviewer: personOf(reviewer ?? { username: '' }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    atMs: nowMs,
    ...(narrowed === undefined ? {} : { narrowed }),
  };
}

function keyEffect(world: World, target: KeyTarget, clusterId: string): Effect {
  const { hold, held: before, sight } = target;
  const named = world.review.spec.apiKeyRef;
  const head: DocumentHead = hold ?? {
    clusterId,
    uid: sight?.uid ?? named?.uid ?? '',
    namespace: world.review.ref.namespace,
    name: named?.name ?? '',
    revision: 0,
    phase: 'Live',
  };
  const { clusterId: _, uid, namespace, name, revision, phase } = head;
  const held = withStore(nextHeld(world, before), target);
  const document: HoldRecord = {
    clusterId: head.clusterId,
    uid,
    namespace,
    name,
    revision,
    phase,
    ...(held === undefined ? {} : { held }),
  };
  return {
    change: { kind: 'Hold', document, expectedRevision: revision },
    action: held === undefined ? 'KeyReleased' : 'KeyHeld',
    facts: held === undefined ? {} : { state: held.state },
  };
}

/** A key that was never issued may name another store tomorrow. */
function withStore(held: HeldState | undefined, { store }: KeyTarget): HeldState | undefined {
  if (held === undefined || store === undefined) return held;
  const { kind, name } = store;
  return { ...held, store: { kind, name } };
}

function clientEffect(world: World, target: ClientTarget): Effect {
  const { client, wanted } = target;
  if (client === undefined) throw new TypeError('a review counts only for a client that is known');
  const { held: before, ...rest } = client;
  const held = nextHeld(world, before);
  const { decision } = world.review.spec;
  return {
    change: {
      kind: 'Client',
      document: {
        ...rest,
        state: clientState(wanted, held),
        ...(held === undefined ? {} : { held }),
        ...(decision === 'Approved' ? { registeredBy: world.review.uid } : {}),
      },
      expectedRevision: client.revision,
    },
    action: decision === 'Approved' ? 'ClientRegistered' : `Client${decision}`,
    facts: {},
  };
}

/** What is imposed after this decision; an approval of a registration leaves it as it was. */
function nextHeld(world: World, before: HeldState | undefined): HeldState | undefined {
  const { review, nowMs } = world;
  const { decision, reviewer, message = '' } = review.spec;
  switch (decision) {
    case 'Suspended':
    case 'Revoked':
      return {
        state: decision,
        reviewUid: review.uid,
        reviewer: reviewer?.username ?? '',
        message,
        sinceMs: nowMs,
      };
    case 'Resumed':
      return undefined;
    default:
      return before;
  }
}

/** Names and numbers of what the review is about; free texts stay out of the chain. */
function targetFacts({ target, review }: World): Facts {
  const { namespace } = review.ref;
  const { applicationRef, apiKeyRef, clientRef } = review.spec;
  switch (target.kind) {
    case 'ApiKeyApplication': {
      const round = target.form?.round;
      const asked = round === undefined ? {} : { round: round.number, type: round.type };
      return { namespace, application: applicationRef?.name ?? '', ...asked };
    }
    case 'ApiKey':
      return { namespace, apiKey: apiKeyRef?.name ?? '' };
    case 'ApiClient':
      return { namespace, client: clientRef?.name ?? '' };
  }
}

function reviewFacts({ review }: World): Facts {
  const { layer, reason, reviewer, grantRound } = review.spec;
  const person = personOf(reviewer ?? { username: '' });
  return {
    review: review.ref.name,
    reviewUid: review.uid,
    reviewer: person.username,
    source: person.source,
    ...(person.attestedBy === undefined ? {} : { attestedBy: person.attestedBy }),
    ...(layer === undefined ? {} : { layer }),
    ...(reason === undefined ? {} : { reason }),
    ...(grantRound === undefined ? {} : { grantRound }),
  };
}
