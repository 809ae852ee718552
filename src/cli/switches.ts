/** What `rotate`, `suspend`, `resume` and `revoke` change in an object's spec. Pure. */
import { ANNOTATION_APPLICANT, ANNOTATION_EDITORS, ANNOTATION_ROTATE } from '../api/names.ts';
import { usageError } from './exit.ts';
import { conditionOf, isObserved, type Form, type Store } from './objects.ts';

/** Switches of keys and clients. */
export type Switch = 'Suspended' | 'Resumed' | 'Revoked';

/** What kind of object a switch is for. */
export type SwitchTarget = 'Key' | 'Client';

/** `client/NAME`, `key/NAME` or `NAME`, which is a key. @throws KeywardError Terminal Usage */
export function parseTarget(text: string): {
  readonly target: SwitchTarget;
  readonly name: string;
} {
  const cut = text.indexOf('/');
  if (cut < 0) return { target: 'Key', name: text };
  const [kind, name] = [text.slice(0, cut).toLowerCase(), text.slice(cut + 1)];
  if (name !== '' && /^(key|apikeys?|akey)$/.test(kind)) return { target: 'Key', name };
  if (name !== '' && /^(client|apiclients?|acl)$/.test(kind)) return { target: 'Client', name };
  throw usageError(`'${text}' is neither NAME of a key, nor key/NAME, nor client/NAME`);
}

/** The merge patch of a switch. @throws KeywardError Terminal Usage where the spec has no such state */
export function switchPatch(target: SwitchTarget, wanted: Switch): object {
  if (target === 'Client' && wanted === 'Revoked') {
    throw usageError(
      'a client is ended for good by a reviewer: add --review and --message, or delete it',
    );
  }
  return { spec: { state: wanted === 'Resumed' ? 'Active' : wanted } };
}

/** How new values are asked for. */
export type Rotation = {
  /** Not used before; asks once. */
  readonly requestId: string;
  readonly urgency: 'Planned' | 'Emergency';
  readonly slot: string | undefined;
  readonly overlapSeconds: number | undefined;
};

/**
 * The merge patch that asks for new values: by annotation alone where nothing but a rotation is
 * wanted, so that a manifest in Git is left as it is; else in the spec.
 */
export function rotationPatch(rotation: Rotation): object {
  const { requestId, urgency, slot, overlapSeconds } = rotation;
  if (urgency === 'Planned' && slot === undefined && overlapSeconds === undefined) {
    return { metadata: { annotations: { [ANNOTATION_ROTATE]: requestId } } };
  }
  return {
    spec: {
      rotation: {
        requestId,
        urgency,
        // That of an earlier request must go, or only its value would be replaced.
        slot: slot ?? null,
        ...(overlapSeconds === undefined ? {} : { overlapSeconds }),
      },
    },
  };
}

/** Why new values are asked for, where a reviewer decides about it. */
export type ReissueWish = {
  readonly requestId: string;
  readonly reason: 'Exposed' | 'SecurityConcern' | 'Routine';
  readonly message: string | undefined;
};

/** Reads `--reason` of a rotation; absent: Routine. @throws KeywardError Terminal Usage */
export function parseReissueReason(text: string | undefined): ReissueWish['reason'] {
  if (text === undefined) return 'Routine';
  const known = (['Exposed', 'SecurityConcern', 'Routine'] as const).find((each) => each === text);
  if (known !== undefined) return known;
  throw usageError(`--reason takes Exposed, SecurityConcern or Routine, not '${text}'`);
}

/** Flags that only the key itself can be asked with, and those that only a form has a place for. */
const OF_KEYS = ['emergency', 'slot', 'overlapSeconds'] as const;
const OF_FORMS = ['reason', 'message'] as const;

/** Of a decision; an edit of the spec has no place for them. */
const OF_REVIEWS = ['reason', 'message', 'layer'] as const;

type Given = Readonly<Record<string, unknown>>;

function firstGiven(flags: Given, names: readonly string[]): string | undefined {
  return names.find((name) => flags[name] !== undefined && flags[name] !== false);
}

/** @throws KeywardError Terminal Usage where a key without a form is asked with words that it has no place for */
export function refuseWordsOfForms(flags: Given): void {
  const flag = firstGiven(flags, OF_FORMS);
  if (flag === undefined) return;
  throw usageError(
    `--${flag} is for keys with a form, which this one has not; leave it out, and use --emergency where the old values must not go on`,
  );
}

/** @throws KeywardError Terminal Usage where the words of a decision would be lost in an edit */
export function refuseWordsOfReviews(flags: Given): void {
  const flag = firstGiven(flags, OF_REVIEWS);
  if (flag === undefined || flags['review'] === true) return;
  throw usageError(
    `--${flag} is of a reviewer's decision, and nothing was changed: add --review to decide as a reviewer, or leave it out to edit the object`,
  );
}

/**
 * Where new values of a key with a form are asked for. A store that applicants may not read (undefined)
 * may have them reviewed: then the form is right in any case, and the key only where its flags are used.
 * @throws KeywardError Terminal Usage where a flag would be lost
 */
export function placeOfRotation(flags: Given, store: Store | undefined): 'Form' | 'Key' {
  const ofKey = firstGiven(flags, OF_KEYS);
  const hasWords = firstGiven(flags, OF_FORMS) !== undefined;
  const isReviewed = store?.spec.applications.requiredFor?.includes('Reissue');
  if (ofKey !== undefined && (isReviewed === true || hasWords)) {
    const flag = ofKey.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`);
    throw usageError(
      `--${flag} is not for new values that are asked for in the form; leave it out, and use --reason Exposed where the old ones must not go on`,
    );
  }
  if (isReviewed !== undefined) return isReviewed || hasWords ? 'Form' : 'Key';
  return ofKey === undefined ? 'Form' : 'Key';
}

/**
 * The merge patch of a form that asks for new values. Whoever changes a form stands among its editors,
 * as the mutating policy would write it, so that it works where there is none. Of an earlier request in
 * the form nothing is left, unless it still holds the key off.
 */
export function reissuePatch(form: Form, wish: ReissueWish, username: string): object {
  const { requestId, reason, message } = wish;
  const { annotations = {} } = form.metadata;
  const editors = (annotations[ANNOTATION_EDITORS] ?? '').split('\n').filter((each) => each !== '');
  const isNew = annotations[ANNOTATION_APPLICANT] !== username && !editors.includes(username);
  const metadata = {
    // Somebody else's edit in between would be signed by the wrong list.
    resourceVersion: form.metadata.resourceVersion,
    ...(isNew ? { annotations: { [ANNOTATION_EDITORS]: [...editors, username].join('\n') } } : {}),
  };
  const reissue = {
    requestId,
    reason,
    // A merge leaves what it does not name: the words of an earlier leak, and that it switches the key off.
    message: message ?? null,
    ...(isReissueOpen(form) ? {} : { whileWaiting: null }),
  };
  return { metadata, spec: { reissue } };
}

/** Whether the form asks for new values already; a key that is off meanwhile stays so for the next request. */
function isReissueOpen(form: Form): boolean {
  const { spec, status } = form;
  const requestId = spec.reissue?.requestId;
  if (requestId === undefined || requestId === status?.lastHandledReissueRequestId) return false;
  // Of the handled ones status names the last; one before it, which a file brought back, waits for nothing.
  return !isObserved(form) || conditionOf(status, 'Ready')?.reason !== 'InForce';
}
