/** The rule for a Secret that is not as we left it. Pure. */
import type { KeyRecord, SecretRecord } from '../../ledger/record.ts';
import { isOpen } from '../../ledger/transitions.ts';
import {
  NOTHING,
  wantedLayout,
  withLayout,
  withTerms,
  type Answer,
  type Facts,
  type Rule,
} from './actions.ts';
import { newValues } from './rotating.ts';
import { mayBeEmpty, type EntrySource } from './secret.ts';
import { isOver, onLoss } from './wanted.ts';
import type { World } from './world.ts';

/** The Secret is not as we left it: look, then repair, replace or report. */
export const handleLoss: Rule = (world) => {
  const { key, record } = world;
  // Of a key that is being deleted nobody misses the Secret, and a namespace that goes takes no other.
  if (key?.isDeleting === true && !canDeliver(world)) return NOTHING;
  if (record?.secret === undefined) return undefined;
  return isMissing(world)
    ? handleMissing(world, record.secret)
    : handleEdited(world, record.secret);
};

/** First it is noted, then waited for, then proven; only then something is done about it. */
function handleMissing(world: World, known: SecretRecord): Answer {
  if (known.missingSinceMs === undefined) return { type: 'NoteMissing' };
  if (known.missingSinceMs + world.lossGraceMs > world.nowMs) return NOTHING;
  if (world.evidence.lossProven !== true) return { type: 'ProveLoss' };
  return withTerms(world, (facts) => replaceLost(facts, 'SecretLost'));
}

function handleEdited(world: World, known: SecretRecord): Answer {
  const { inspection } = world.evidence;
  if (inspection === undefined && !isAsWritten(world, known)) {
    return withLayout(world, (layout) => ({ type: 'InspectSecret', layout }));
  }
  switch (inspection?.type ?? known.health) {
    case 'Foreign':
      return NOTHING;
    case 'Tampered':
      // Nothing on it proves that it waits for us, but what it lacks is here: finishOpen writes it.
      if (isWritable(world)) return undefined;
      return withTerms(world, (facts) => replaceLost(facts, 'SecretTampered'));
    case 'Intact':
      return inspection === undefined ? undefined : { type: 'NoteSecret', health: 'Intact' };
    default:
      return undefined;
  }
}

/** False when values that were made cannot reach the Secret: it is gone, or somebody else's, or beyond repair. */
export function canDeliver(world: World): boolean {
  const known = world.record?.secret;
  if (known === undefined || isMissing(world)) return false;
  switch (world.evidence.inspection?.type ?? known.health) {
    case 'Foreign':
      return false;
    case 'Tampered':
      return isWritable(world);
    default:
      return true;
  }
}

function isAsWritten({ secret }: World, known: SecretRecord): boolean {
  if (secret.type !== 'Present') return true;
  return secret.resourceVersion === known.resourceVersion && known.missingSinceMs === undefined;
}

/** True when the Secret the ledger knows is not there. */
function isMissing({ record, secret, evidence }: World): boolean {
  if (record?.secret === undefined || evidence.written !== undefined) return false;
  if (evidence.inspection !== undefined) return evidence.inspection.type === 'Absent';
  return secret.type === 'Absent';
}

type LossTrigger = 'SecretLost' | 'SecretTampered';

function replaceLost({ world, key, store }: Facts, trigger: LossTrigger): Answer {
  // Whatever is wished for in its place: values that were made already need nobody's consent to be delivered.
  if (trigger === 'SecretLost' && hasEveryValue(world.record)) return { type: 'ForgetSecret' };
  const wish = onLoss(key, store);
  switch (wish === 'Restore' && isBeyondRestoring(world, trigger) ? 'Wait' : wish) {
    case 'Restore':
      return trigger === 'SecretLost' ? { type: 'ForgetSecret' } : rewrite(world);
    case 'Wait':
      return awaitRequest(world, trigger);
    case 'Rotate':
      return isDead(world) ? awaitRequest(world, trigger) : lostValues(trigger);
  }
}

/** What is waited for is a person who asks, and of a dead key first one who sets a later end. */
function awaitRequest(world: World, trigger: LossTrigger): Answer {
  const { record, rotationRequest: requestId } = world;
  if (requestId !== undefined && !isDead(world)) return { ...lostValues(trigger), requestId };
  return trigger === 'SecretTampered' && record?.secret?.health === 'Intact'
    ? { type: 'NoteSecret', health: 'Tampered' }
    : NOTHING;
}

/** A dead key needs no values; the same rule answers when a later end revives it. */
function isDead({ record, nowMs }: World): boolean {
  return record !== undefined && isOver(record, nowMs);
}

function lostValues(trigger: LossTrigger): ReturnType<typeof newValues> {
  return newValues(trigger, trigger === 'SecretLost' ? 'Secret' : 'Values');
}

/** Values that were made before the store kept copies are in no ledger; trying again finds none either. */
function isBeyondRestoring(world: World, trigger: LossTrigger): boolean {
  if (trigger === 'SecretLost') return !canMakeAnew(world);
  const { inspection } = world.evidence;
  return inspection?.type === 'Tampered' && inspection.isBeyondRepair === true;
}

/**
 * Whether a Secret that is gone could be made with the values in use. Those before them are left out of
 * it where the ledger has them no more; see forgetSecret.
 */
export function canMakeAnew(world: World): boolean {
  const layout = wantedLayout(world);
  return [...(layout?.fields.values() ?? [])].every(
    (source) =>
      (source.type === 'Slot' && source.sequence !== layout?.sequence) || isKept(world, source),
  );
}

/** The ledger itself holds every value of the open credential, so the Secret can be made anew. */
function hasEveryValue(record: KeyRecord | undefined): boolean {
  const open = record?.credentials.find(isOpen);
  return open !== undefined && open.slots.every((slot) => slot.sealed !== undefined);
}

/** An open credential is all that is missing, and the ledger holds every value that the Secret needs. */
function isWritable(world: World): boolean {
  const credentials = world.record?.credentials ?? [];
  if (!credentials.some(isOpen)) return false;
  const layout = wantedLayout(world);
  if (layout === undefined) return true;
  return [...layout.fields.values()].every(
    (source) => mayBeEmpty(layout, source) || isKept(world, source),
  );
}

/** The ledger can give the text of the entry. */
function isKept({ record }: World, source: EntrySource): boolean {
  if (source.type === 'Literal') return true;
  return (
    record?.credentials
      .find(({ sequence }) => sequence === source.sequence)
      ?.slots.find(({ name }) => name === source.slot)?.sealed !== undefined
  );
}

function rewrite(world: World): Answer {
  const layout = wantedLayout(world);
  return layout === undefined ? NOTHING : { type: 'WriteSecret', layout };
}
