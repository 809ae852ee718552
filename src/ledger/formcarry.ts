/**
 * A grant in another cluster: what becomes of the record of a form when its cluster was lost and the
 * same form was applied in a new one. Pure; whether it asks for the same is judged before.
 *
 * Nothing that was granted grows by it: durations go on counting, whoever must not decide still must
 * not, what was refused or withdrawn stays so, and nothing that waited for a decision waits any longer.
 */
import { requestHash, type RequestContent } from '../terms/request.ts';
import type { CarriedOver, FormRecord, Grant, Round } from './form.ts';
import { demand } from './demand.ts';
import { firstIssuedMs } from './grants.ts';

/** The form as it is in the new cluster. */
export type NewHome = {
  readonly clusterId: string;
  readonly uid: string;
  readonly generation: number;
  /** Whom admission stamped there. */
  readonly createdBy: string;
  readonly editors: readonly string[];
  readonly storeUid: string;
  readonly clientUid: string;
  readonly atMs: number;
  /** The type of the round, Issue or Change, in which just this was asked for. */
  readonly type: 'Issue' | 'Change';
  /** What the form asks for, with the UIDs of the new cluster. */
  readonly content: RequestContent;
};

/**
 * The record of the new form, with all that was granted to the old one. The key that served the grant
 * is not served any more: another one may be issued, once.
 */
export function carryForm(old: FormRecord, home: NewHome): FormRecord {
  const { grant, nextGrant, revocation, round, noticed, applicant } = old;
  demand(old.phase === 'Live' && old.ended === undefined, old, 'what is over is not carried over');
  demand(grant !== undefined, old, 'only a grant is carried over');
  const { clusterId, uid, generation, createdBy, atMs } = home;
  return {
    clusterId,
    uid,
    namespace: old.namespace,
    name: old.name,
    revision: 0,
    phase: 'Live',
    applicant,
    // Who applied the form here is another author of it, and no less so are those of the old one.
    editors: [...new Set([...old.editors, ...home.editors, createdBy])].filter(
      (name) => name !== applicant.username,
    ),
    // An administrator saw it, and it asks for nothing that was not granted, whoever wrote it.
    seen: { generation, atMs, isProven: true },
    ...(round === undefined ? {} : { round: moveRound(round, home) }),
    ...refusedBefore(old, home),
    grant: nextGrant === undefined ? newest(grant, home) : moveGrant(grant, home),
    ...(nextGrant === undefined ? {} : { nextGrant: newest(nextGrant, home) }),
    ...(revocation === undefined ? {} : { revocation }),
    spentReissueIds: spentIds(old),
    reviews: old.reviews,
    ...(noticed === undefined ? {} : { noticed }),
    carried: origin(old, home),
  };
}

/** What a store gave no second chance for gets none by another cluster. */
function refusedBefore(
  { refused, refusedRevoke }: FormRecord,
  home: NewHome,
): Pick<FormRecord, 'refused' | 'refusedRevoke'> {
  return {
    ...(refused === undefined ? {} : { refused: moveRound(refused, home) }),
    ...(refusedRevoke === undefined ? {} : { refusedRevoke: moveRound(refusedRevoke, home) }),
  };
}

function origin(old: FormRecord, { createdBy, atMs }: NewHome): CarriedOver {
  const issuedMs = firstIssuedMs(old);
  return {
    fromUid: old.uid,
    fromClusterId: old.clusterId,
    atMs,
    createdBy,
    ...(issuedMs === undefined ? {} : { firstIssuedMs: issuedMs }),
  };
}

/** The old values end with the cluster, so a wish for others is fulfilled, and is none any more. */
function spentIds({ spentReissueIds, reissue }: FormRecord): readonly string[] {
  return reissue === undefined
    ? spentReissueIds
    : [...new Set([...spentReissueIds, reissue.requestId])];
}

/** The hash is that of the new form, so that what it asks for is recognised, and no old review fits. */
function newest(grant: Grant, home: NewHome): Grant {
  const { uid, type, content } = home;
  const hash = requestHash({ formUid: uid, round: grant.round, type, content });
  return { ...moveGrant(grant, home), hash };
}

function moveGrant(grant: Grant, home: NewHome): Grant {
  return { ...grant, content: moveContent(grant.content, home) };
}

/** Whoever waited for a decision asks again; the number is not used again. */
function moveRound(round: Round, home: NewHome): Round {
  const { number, type } = round;
  const content = moveContent(round.content, home);
  const hash = requestHash({ formUid: home.uid, round: number, type, content });
  const moved = { ...round, content, hash };
  return round.state === 'Pending' ? { ...moved, state: 'Withdrawn', decidedMs: home.atMs } : moved;
}

function moveContent(
  content: RequestContent,
  { storeUid, clientUid }: Pick<NewHome, 'storeUid' | 'clientUid'>,
): RequestContent {
  const { storeRef, client } = content;
  return {
    ...content,
    storeRef: { ...storeRef, uid: storeUid },
    client: { ...client, uid: clientUid },
  };
}
