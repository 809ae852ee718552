/**
 * What others than the key's own spec impose on it: its form, its client, and reviewers who decided about
 * the key itself. The stricter one counts, and says who and why. Pure.
 */
import type { ReadyReason } from '../../api/conditions.ts';
import type { ClientRecord, HeldState } from '../../ledger/documents.ts';
import type { FormRecord, GrantEnd, Reissue } from '../../ledger/form.ts';
import { isSuspendedForReissue } from '../../ledger/grants.ts';
import type { KeyRecord } from '../../ledger/record.ts';
import type { ApplicationFact, ClientFact, World } from './world.ts';

/** A state that an edit of the key's spec cannot lift. */
type Imposed = {
  readonly state: 'Suspended' | 'Revoked';
  readonly reason: ReadyReason;
  /** Who and why; for the owner of the key. */
  readonly message: string;
};

/** The strictest of all, most final first; undefined: the spec alone decides. */
export function imposed(world: World): Imposed | undefined {
  const { application, client, held, record } = world;
  // Nearly every key is on nobody's behalf, and this is asked several times in each pass.
  if (application === undefined && client === undefined && held === undefined) return undefined;
  const all = [
    application && ofGrant(application, world),
    held && ofHold(held),
    client && ofClient(client, record),
    // Before the first issue there is nothing to switch off.
    record && application && ofReissue(application.form),
  ].filter((each) => each !== undefined);
  return all.find(({ state }) => state === 'Revoked') ?? all[0];
}

/** Why a grant is over, for the owner of its key. */
function endText(name: string, { cause, actor, message }: GrantEnd): string {
  const why = message === undefined ? '' : `: ${message}`;
  switch (cause) {
    case 'Revoked':
      return `application '${name}' was revoked at its applicant's wish${why}`;
    case 'Withdrawn':
      return `'${actor}' withdrew the grant of application '${name}'${why}`;
    case 'FormDeleted':
      return `application '${name}' was deleted, which ends its grant; a new one needs a new ApiKey`;
    case 'ClientDeleted':
      return `the client of application '${name}' was deleted, which ends its grant${why}`;
  }
}

/** Why the grant of a form is over for good; a due revocation counts before it is carried out. */
function endOf({ ended, revocation }: FormRecord, nowMs: number): GrantEnd | undefined {
  if (ended !== undefined || revocation === undefined || revocation.atMs > nowMs) return ended;
  return {
    cause: 'Revoked',
    atMs: revocation.atMs,
    actor: 'operator',
    message: revocation.message,
  };
}

function ofGrant({ name, form }: ApplicationFact, { record, nowMs }: World): Imposed | undefined {
  const ended = form && endOf(form, nowMs);
  if (ended !== undefined) {
    // What its holder asked for is no trouble that somebody must look into.
    const reason = ended.cause === 'Revoked' ? 'Revoked' : 'GrantWithdrawn';
    return { state: 'Revoked', reason, message: endText(name, ended) };
  }
  if (record === undefined) return undefined;
  const isItsOwn = form?.phase === 'Live' && record.grant?.formUid === form.uid;
  if (isItsOwn && form.grant !== undefined) return undefined;
  // Nothing that happens in order leads here; a value that nobody approved must not work all the same.
  const message = 'the database knows no grant of this key any more; apply for another ApiKey';
  return { state: 'Suspended', reason: 'GrantWithdrawn', message };
}

function ofHold({ state, reviewer, message }: HeldState): Imposed {
  const why = message === '' ? '' : `: ${message}`;
  return state === 'Revoked'
    ? { state, reason: 'Revoked', message: `'${reviewer}' revoked the key; this is final${why}` }
    : {
        state,
        reason: 'Suspended',
        message: `'${reviewer}' suspended the key${why}; only a review resumes it`,
      };
}

function ofClient(
  { name, client }: ClientFact,
  record: KeyRecord | undefined,
): Imposed | undefined {
  if (client === undefined) {
    return record?.clientUid === undefined
      ? undefined
      : suspended(`ApiClient '${name}', which the key was issued for, is not known any more`);
  }
  if (client.phase === 'Ended') return suspended(`ApiClient '${name}' was deleted`);
  if (client.state === 'Active') return undefined;
  const how = clientText(name, client);
  return client.state === 'Revoked'
    ? { state: 'Revoked', reason: 'Revoked', message: `${how}; this is final` }
    : suspended(how);
}

function clientText(name: string, { state, held }: ClientRecord): string {
  const did = state === 'Revoked' ? 'revoked' : 'suspended';
  if (held === undefined) return `ApiClient '${name}' is ${did}; set its spec.state to Active`;
  const why = held.message === '' ? '' : `: ${held.message}`;
  return `'${held.reviewer}' ${did} ApiClient '${name}'${why}`;
}

/** Asked for with the form: off until new values are there, unless the wish was refused. */
function ofReissue(form: FormRecord | undefined): Imposed | undefined {
  const { reissue } = form ?? {};
  if (form === undefined || reissue === undefined || !isSuspendedForReissue(form)) return undefined;
  const until = UNTIL[reissue.state];
  return suspended(`reissue '${reissue.requestId}' switched the key off, ${until}`);
}

const UNTIL = {
  Waiting: 'until somebody has decided about it',
  Approved: 'until the new values are made',
  Denied: 'until the refusal is carried out',
  Lapsed: 'because nobody decided in time; ask again with a new spec.reissue.requestId',
} as const satisfies Record<Reissue['state'], string>;

function suspended(message: string): Imposed {
  return { state: 'Suspended', reason: 'Suspended', message };
}
