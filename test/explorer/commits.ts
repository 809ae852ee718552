/** The record each ledger action asks for, by the real transitions; minted values are symbols. */
import type { Action } from '../../src/controllers/apikey/actions.ts';
import type { World } from '../../src/controllers/apikey/world.ts';
import type { KeyFormat } from '../../src/keys/format.ts';
import { SLOTS, type SlotName } from '../../src/keys/mint.ts';
import type { CredentialRecord, KeyRecord } from '../../src/ledger/record.ts';
import {
  addCredential,
  confirm,
  currentCredential,
  dropCredentials,
  forgetSecret,
  regenerateSlot,
  retain,
  retireDue,
  setSecret,
  setState,
  setTerms,
} from '../../src/ledger/transitions.ts';
import { aBlankRecord, NOW_MS, SEALED } from '../support/world.ts';
import type { Request } from './ledger.ts';

type LedgerAction = Exclude<
  Action,
  {
    type:
      | 'StampFinalizer'
      | 'ReleaseFinalizer'
      | 'WriteSecret'
      | 'InspectSecret'
      | 'DeleteSecret'
      | 'ProveLoss'
      | 'ProveGone'
      | 'End'
      | 'Close'
      | 'RollOut'
      | 'NoteTargets'
      | 'Remote';
  }
>;

/** What the operator would commit for this action. */
export function applyToRecord(world: World, action: LedgerAction): Request {
  const before = world.record ?? blank(world);
  const record = transition(world, before, action);
  const spendRequestId =
    action.type === 'Issue'
      ? world.rotationRequest
      : 'requestId' in action
        ? action.requestId
        : undefined;
  return { record, expectedRevision: before.revision, spendRequestId };
}

function transition(world: World, before: KeyRecord, action: LedgerAction): KeyRecord {
  switch (action.type) {
    case 'Issue':
      return issue(world, before, action);
    case 'Rotate':
      return addCredential(before, { ...action, credential: mint(before, before.format) });
    case 'Regenerate':
      return regenerate(world, before, action);
    case 'SetState':
      return setState(before, action.state, NOW_MS);
    case 'SetTerms':
      return setTerms(before, action.terms);
    case 'RetireDue':
      return retireDue(before, world.nowMs, action.unused);
    case 'DropExpired':
      return dropCredentials(before, NOW_MS);
    case 'Retain':
      return retain(before, world.nowMs);
    case 'Confirm':
      return confirmWritten(world, before, action.overlapMs);
    case 'ForgetSecret':
      return forgetSecret(before);
    case 'NoteMissing':
      return noteMissing(before);
    case 'NoteSecret':
      return noteSecret(world, before, action.health);
  }
}

function issue(
  world: World,
  before: KeyRecord,
  { format, terms }: Extract<Action, { type: 'Issue' }>,
): KeyRecord {
  return addCredential(
    { ...before, format, terms },
    {
      credential: mint(before, format),
      oldValuesEnd: 'AtConfirm',
      lost: 'Nothing',
      ...(world.rotationRequest !== undefined && { requestId: world.rotationRequest }),
    },
  );
}

function noteMissing(before: KeyRecord): KeyRecord {
  if (before.secret === undefined) return before;
  return setSecret(before, { ...before.secret, missingSinceMs: NOW_MS });
}

function blank({ key, ref }: World): KeyRecord {
  const state = key?.spec.state === 'Suspended' ? 'Suspended' : 'Active';
  return aBlankRecord({ uid: key?.uid ?? '', name: ref.name, namespace: ref.namespace, state });
}

/** Symbols are unique because only one commit can take a sequence. */
function mint({ uid, sequence }: KeyRecord, format: KeyFormat): CredentialRecord {
  const keyId = `${uid}.${sequence + 1}`;
  return {
    token: keyId,
    sequence: sequence + 1,
    attempt: 1,
    keyId,
    hint: keyId,
    state: 'Sealed',
    origin: 'Issued',
    createdAtMs: NOW_MS,
    slots: SLOTS[format].map((name, index) => ({
      name,
      role: index === 0 ? 'Active' : 'Standby',
      generation: 1,
      digest: NO_BYTES,
      pepperVersion: 1,
      sealed: SEALED,
      rotatedAtMs: NOW_MS,
    })),
  };
}

const NO_BYTES = new Uint8Array(0);

function regenerate(
  world: World,
  before: KeyRecord,
  action: Extract<Action, { type: 'Regenerate' }>,
): KeyRecord {
  const credential = currentCredential(before, world.nowMs);
  if (credential === undefined) return before;
  return regenerateSlot(before, {
    name: action.slot,
    sequence: credential.sequence,
    digest: NO_BYTES,
    pepperVersion: 1,
    sealed: SEALED,
    hint: credential.hint,
    atMs: NOW_MS,
    ...(action.becomesActive && { role: 'Next' }),
    ...(action.requestId !== undefined && { requestId: action.requestId }),
  });
}

function confirmWritten(world: World, before: KeyRecord, overlapMs: number): KeyRecord {
  const { written } = world.evidence;
  if (written === undefined) return before;
  return confirm(before, {
    secret: { ...written, health: 'Intact' },
    nowMs: NOW_MS,
    overlapMs,
    recoverable: world.store.type === 'Usable' && world.store.capabilities.recoverable,
  });
}

function noteSecret(world: World, before: KeyRecord, health: 'Intact' | 'Tampered'): KeyRecord {
  if (before.secret === undefined) return before;
  const { missingSinceMs: _, ...rest } = before.secret;
  const { inspection } = world.evidence;
  const seen =
    inspection !== undefined && 'uid' in inspection
      ? { uid: inspection.uid, resourceVersion: inspection.resourceVersion }
      : {};
  return setSecret(before, { ...rest, ...seen, health });
}

/** The symbol of the value that a slot of a record has now. */
export function valueOf(
  record: KeyRecord | undefined,
  sequence: number,
  name: SlotName,
): string | undefined {
  const credential = record?.credentials.find((each) => each.sequence === sequence);
  const slot = credential?.slots.find((each) => each.name === name);
  if (credential === undefined || slot === undefined) return undefined;
  return `${credential.keyId}.${name}.${slot.generation}`;
}
