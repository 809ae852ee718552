/**
 * From lines of the audit chain to notices for people: what happened to a form, in the words of its
 * status. Pure. The chain is what notices are made of, so none is lost when the operator is killed, and
 * each has an id that stays the same.
 */
import { formatTime } from '../../kernel/time.ts';
import type { AuditLine } from '../../ledger/port.ts';

/** Kinds of notices, as receivers select them. */
type NoticeType =
  | 'keyward.application.submitted'
  | 'keyward.application.decided'
  | 'keyward.application.expiring';

/** What is sent. `data` has the facts of the audit line; key material is never among them. */
export type Notice = {
  /** `msg_` and the position in the audit chain under the database's id. */
  readonly id: string;
  readonly type: NoticeType;
  /** RFC 3339: when it happened, not when it is sent. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, string | number | boolean>>;
};

/** Which actions of the audit chain become which notices; see `closingType` for others. */
const TYPES: Readonly<Record<string, NoticeType>> = {
  RoundOpened: 'keyward.application.submitted',
  RoundReplaced: 'keyward.application.submitted',
  RoundApproved: 'keyward.application.decided',
  RoundDenied: 'keyward.application.decided',
  RoundReturned: 'keyward.application.decided',
  RoundLapsed: 'keyward.application.decided',
  RoundWithdrawn: 'keyward.application.decided',
  GrantWithdrawn: 'keyward.application.decided',
  GrantExpiring: 'keyward.application.expiring',
};

/** The notice of a line; undefined: nobody is told. */
export function noticeOf(line: AuditLine, databaseId: string): Notice | undefined {
  const type = TYPES[line.action] ?? closingType(line);
  if (type === undefined) return undefined;
  return {
    id: `msg_${databaseId}_${line.number}`,
    type,
    timestamp: formatTime(line.atMs),
    data: { ...line.facts, action: line.action, actor: line.actor, uid: line.uid },
  };
}

/** What ends a form or its grant is told where a round ends with it, which somebody was asked to decide about. */
function closingType({ facts }: AuditLine): NoticeType | undefined {
  return facts['closedRound'] === undefined ? undefined : 'keyward.application.decided';
}

/** The body of a notice: JSON in UTF-8. */
export function bodyOf({ type, timestamp, data }: Notice): string {
  return JSON.stringify({ type, timestamp, data });
}
