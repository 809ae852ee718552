/**
 * What keeps a key from being issued or changed because of its form or its client. Pure; see checks.ts.
 */
import { formatTime } from '../../kernel/time.ts';
import type { FormRecord, Round } from '../../ledger/form.ts';
import type { Check, Finding, StoreCheck } from './finding.ts';
import { openReissue } from './granted.ts';
import { imposed } from './standing.ts';
import { isOver } from './wanted.ts';
import type { World } from './world.ts';

/** The form is missing, undecided, refused, or another key's. */
export const formForbids: Check = (world, key) => {
  const { application } = world;
  const name = key.spec.applicationRef?.name;
  if (name === undefined) return undefined;
  const form = application?.form;
  if (form === undefined) return notFound(name, key.ref.namespace);
  return (
    otherKeys(form, key.ref.name, name) ??
    undecided(form, name) ??
    scheduled(form, world, name) ??
    elsewhere(world)
  );
};

/** Before the first issue, what is imposed keeps the key from existing; later it is a state of it. */
export const imposedBeforeIssue: Check = (world) => {
  if (world.record !== undefined) return undefined;
  const by = imposed(world);
  return by === undefined ? undefined : { reason: by.reason, message: by.message };
};

/** Every way to new values but the reviewed one is shut. */
export const reissueRequired: Check = (world, key) => {
  const { application, record, nowMs } = world;
  const form = application?.form;
  if (application === undefined || form === undefined || application.reissues === 'Free') {
    return undefined;
  }
  const ask = `ask for new values in application '${application.name}' with spec.reissue`;
  if (application.refused.length > 0) {
    const fields = application.refused.join(', ');
    const message = `the store gives new values only after review, so ${fields} is refused; remove it and ${ask}`;
    return { reason: 'ReissueRequired', message };
  }
  if (openReissue(form) !== undefined) return undefined;
  const isAnother = form.issuedTo !== undefined && form.issuedTo.keyUid !== key.uid;
  if (record === undefined && isAnother) {
    const message = `the grant was used by an earlier ApiKey of this name, whose values are gone; ${ask}`;
    return { reason: 'ReissueRequired', message };
  }
  // After the time in which a later end brings the same value back.
  const isSpent =
    record !== undefined &&
    !isOver(record, nowMs) &&
    record.credentials.every(({ state }) => state === 'Disabled');
  return isSpent
    ? {
        reason: 'ReissueRequired',
        message: `the values of the key ended with its validity; ${ask}`,
      }
    : undefined;
};

/** Whom the key is for must be known before it is issued, and stays the same afterwards. */
export const clientForbids: StoreCheck = ({ client, record }, key, store) => {
  if (client === undefined) return undefined;
  const { name } = client;
  if (client.client === undefined) {
    const message = `ApiClient '${name}' was not found in namespace '${key.ref.namespace}'; create it`;
    return { reason: 'ClientNotAvailable', message };
  }
  const wanted = key.spec.clientRef?.name;
  // With a form the grant says for whom, and one that is over says nothing any more.
  const isItsOwnWord = key.spec.applicationRef === undefined;
  if (isItsOwnWord && record?.clientUid !== undefined && wanted !== client.client.name) {
    const message = `spec.clientRef: the key was issued for ApiClient '${client.client.name}' and stays with it; create another ApiKey`;
    return { reason: 'InvalidSpec', message };
  }
  const isAwaited = store.reviewed.includes('Client') && client.client.registeredBy === undefined;
  // A store that begins to demand reviews leaves the keys alone that are bound to their client already.
  return isAwaited && record?.clientUid !== client.client.uid
    ? { reason: 'ClientNotAvailable', message: `ApiClient '${name}' waits for its registration` }
    : undefined;
};

function notFound(name: string, namespace: string): Finding {
  return {
    reason: 'ApplicationNotFound',
    message: `ApiKeyApplication '${name}' was not found in namespace '${namespace}'; create it, see its status if it is there, or recreate this ApiKey without applicationRef`,
  };
}

function otherKeys(form: FormRecord, keyName: string, name: string): Finding | undefined {
  const named = (form.grant ?? form.round)?.content.apiKeyName;
  if (named === undefined || named === keyName) return undefined;
  return form.issuedTo === undefined
    ? {
        reason: 'ApiKeyConflict',
        message: `application '${name}' is for ApiKey '${named}', not for this one; name that in its spec.apiKeyRef, or rename this`,
      }
    : {
        reason: 'ApplicationInUse',
        message: `application '${name}' already serves ApiKey '${named}'; file another one for this`,
      };
}

/** No grant yet: what became of the newest round. */
function undecided({ grant, round }: FormRecord, name: string): Finding | undefined {
  if (grant !== undefined) return undefined;
  if (round === undefined) {
    const message = `application '${name}' was not submitted for review yet; its status says what is missing`;
    return { reason: 'ApplicationNotSubmitted', message };
  }
  const { type, number, deadlineMs } = round;
  switch (round.state) {
    case 'Denied':
      return { reason: 'Denied', message: `application '${name}' was refused${words(round)}` };
    case 'Returned':
      return {
        reason: 'Returned',
        message: `application '${name}' was returned for correction${words(round)}`,
      };
    case 'Lapsed': {
      const message = `nobody decided about application '${name}' in time; submit it again with a new spec.submissionId`;
      return { reason: 'Lapsed', message };
    }
    case 'Withdrawn':
      return {
        reason: 'ApplicationNotSubmitted',
        message: `application '${name}' was withdrawn by its applicant; submit it again`,
      };
    default: {
      const until = deadlineMs === undefined ? '' : ` until ${formatTime(deadlineMs)}`;
      const message = `round ${number} (${type}) of application '${name}' waits for a reviewer${until}`;
      return { reason: 'PendingReview', message };
    }
  }
}

/** What the reviewer said, in his words. */
function words({ reason, message }: Round): string {
  const said = [reason, message].filter((text) => text !== undefined && text !== '');
  return said.length === 0 ? '' : `: ${said.join(': ')}`;
}

function scheduled({ grant }: FormRecord, { nowMs }: World, name: string): Finding | undefined {
  if (grant === undefined || grant.effectiveMs <= nowMs) return undefined;
  const message = `application '${name}' is approved from ${formatTime(grant.effectiveMs)} on`;
  return { reason: 'NotYetValid', message };
}

/** A store of the same name that was made later is another one than was read and approved. */
function elsewhere({ application, store }: World): Finding | undefined {
  const { grant } = application ?? {};
  if (grant === undefined || store.type !== 'Usable') return undefined;
  const { kind, name, uid } = grant.content.storeRef;
  if (store.uid === uid && store.kind === kind && store.name === name) return undefined;
  const message = `the grant is for the ${kind} '${name}' that was there when it was approved, and this is another one; apply again`;
  return { reason: 'StoreNotAvailable', message };
}
