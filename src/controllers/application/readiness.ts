/** Ready of a form: is what it asks for decided and in force? The first answer that fits. Pure. */
import type { ApplicationReadyReason } from '../../api/applicationconditions.ts';
import { formatTime } from '../../kernel/time.ts';
import type { FormRecord, Round } from '../../ledger/form.ts';
import { incomplete, type Picture } from './picture.ts';
import { problemsIn, reasonOf } from './problems.ts';
import { draftEndsAtMs, type Standing } from './standing.ts';
import { servedName } from './view.ts';
import { askedOf, returnedBehind } from './wish.ts';
import {
  awaitedText,
  draftText,
  endText,
  expiredText,
  outcomeText,
  troubleText,
  untilText,
} from './wording.ts';
import type { World } from './world.ts';

/** A reason and its sentence. */
type Said = { readonly reason: ApplicationReadyReason; readonly message: string };

/** See the file comment. */
export function readiness(picture: Picture): Said {
  return (
    ofIdentity(picture) ??
    ofEnd(picture.world.record) ??
    ofConflict(picture) ??
    ofTroubles(picture) ??
    ofGrant(picture) ??
    ofSubmission(picture) ??
    ofRound(picture.world)
  );
}

function ofIdentity({ identity }: Picture): Said | undefined {
  switch (identity.type) {
    case 'Awaiting':
      return { reason: 'AwaitingProof', message: identity.why };
    case 'Unverified':
      return { reason: 'IdentityUnverified', message: identity.message };
    case 'Refused':
      return { reason: 'Incomplete', message: identity.message };
    default:
      return undefined;
  }
}

function ofEnd(record: FormRecord | undefined): Said | undefined {
  const ended = record?.ended;
  if (ended === undefined) return undefined;
  const reasons = {
    Revoked: 'Revoked',
    Withdrawn: 'GrantWithdrawn',
    ClientDeleted: 'GrantEnded',
    FormDeleted: 'GrantEnded',
  } as const;
  return { reason: reasons[ended.cause], message: endText(ended) };
}

/** Said when it begins to matter: the grant has no key to go to. */
function ofConflict({ world, form, standing }: Picture): Said | undefined {
  const isGranted = standing?.state === 'InForce' || standing?.state === 'Scheduled';
  if (!isGranted || world.apiKey.type !== 'Present' || world.apiKey.namesForm) return undefined;
  const name = servedName(form.spec, form.ref.name);
  const message = `ApiKey '${name}' exists and does not name this form in spec.applicationRef; delete it, or file another application with another name in spec.apiKeyRef`;
  return { reason: 'ApiKeyConflict', message };
}

function ofTroubles(picture: Picture): Said | undefined {
  const { troubles } = incomplete(picture) ?? {};
  if (troubles === undefined) return undefined;
  return { reason: reasonOf(troubles), message: troubleText(troubles) };
}

/** What holds is said first, unless something that was asked for beside it came to nothing. */
function ofGrant({ world, standing }: Picture): Said | undefined {
  switch (standing?.state) {
    case 'InForce':
      return refusal(world) ?? inForce(world);
    case 'Scheduled': {
      const atMs = world.record?.grant?.effectiveMs ?? world.nowMs;
      return { reason: 'NotYetEffective', message: `Approved, effective from ${formatTime(atMs)}` };
    }
    case 'Expired':
      return world.record?.round?.state === 'Pending'
        ? undefined
        : (refusal(world) ?? expired(world, standing));
    default:
      return undefined;
  }
}

function inForce(world: World): Said {
  const { record } = world;
  const round = record?.round;
  const held = `What was granted is in force${untilText(world)}`;
  if (record === undefined || round?.state !== 'Pending') {
    return { reason: 'InForce', message: held };
  }
  const message = `${held}; ${awaitedText(round, record.reviews)}`;
  return { reason: 'ChangePending', message };
}

function expired({ nowMs }: World, standing: Standing): Said {
  const advice = standing.problem === undefined ? 'ask for a later end' : 'ask for other terms';
  return { reason: 'Expired', message: `${expiredText(standing, nowMs)}; ${advice}` };
}

/** The newest round came to nothing, or the one whose turn it is, and the form still asks for it. */
function refusal(world: World): Said | undefined {
  const asked = askedOf(world);
  for (const round of [world.record?.round, returnedBehind(world)]) {
    if (round !== undefined && isRefused(round.state) && asked.includes(round.type)) {
      return { reason: round.state, message: outcomeText(round) };
    }
  }
  return undefined;
}

function isRefused(state: Round['state']): state is 'Denied' | 'Returned' | 'Lapsed' {
  return state === 'Denied' || state === 'Returned' || state === 'Lapsed';
}

function ofSubmission({ world, form }: Picture): Said | undefined {
  switch (form.spec.submission) {
    case 'Draft': {
      const endsMs = draftEndsAtMs(world);
      return endsMs !== undefined && endsMs <= world.nowMs
        ? { reason: 'Lapsed', message: 'Nobody went on with this draft; submit it to ask' }
        : { reason: 'Draft', message: draftText(missingIn(world, form)) };
    }
    case 'Withdrawn':
      return { reason: 'Withdrawn', message: 'The form was taken back' };
    case 'Submitted':
      return undefined;
  }
}

/** What its first round would need, so that a draft can be filled in bit by bit. */
function missingIn(world: World, form: Picture['form']): ReturnType<typeof problemsIn> {
  const isNoted = world.record !== undefined && world.record.grant === undefined;
  return isNoted ? problemsIn(world, form, 'Issue') : [];
}

function ofRound({ record, client }: World): Said {
  const round = record?.round;
  if (record === undefined || round === undefined) {
    return { reason: 'Pending', message: 'The form is being looked at' };
  }
  if (round.state === 'Pending') {
    // Of another name, or made anew, it would be another round.
    if (client.type === 'Missing') return clientGone(round);
    return { reason: 'PendingReview', message: awaitedText(round, record.reviews) };
  }
  return isRefused(round.state)
    ? { reason: round.state, message: outcomeText(round) }
    : { reason: 'Pending', message: outcomeText(round) };
}

/** Nobody can approve it: a client that is made anew is another one, and is asked for in another round. */
function clientGone({ number, content }: Round): Said {
  const message = `ApiClient '${content.client.name}' of round ${number} is gone, so nobody can approve it; make the client anew, and the next round opens`;
  return { reason: 'ClientNotAvailable', message };
}
