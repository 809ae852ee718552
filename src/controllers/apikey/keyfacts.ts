/** What metrics tell of one ApiKey, from its status as the cache keeps it. Pure. */
import type { ApiKeyStatus } from '../../api/generated/apikey.ts';
import { shared } from '../../kernel/sharedtext.ts';
import { parseTime, SECOND_MS } from '../../kernel/time.ts';
import type { CachedApiKey } from './view.ts';

/** Where a key is in its life, for counting. */
export const KEY_STATES = ['Pending', 'Active', 'Suspended', 'Expired', 'Revoked'] as const;

/** One of them. Active: values exist and nothing says that they are dead. */
type CountedState = (typeof KEY_STATES)[number];

/** Times are whole seconds since 1970; absent: there is no such time. */
export type KeyFacts = {
  /** Of condition Ready; Unknown also while there is no status. */
  readonly condition: 'True' | 'False' | 'Unknown';
  /** Of condition Ready. */
  readonly reason: string;
  readonly state: CountedState;
  /** `kind/name`. */
  readonly store: string;
  readonly expirationS: number | undefined;
  /** Since when people are warned of the end. */
  readonly noticeS: number | undefined;
  readonly rotationDueS: number | undefined;
  readonly previousRetireS: number | undefined;
};

/** Reasons of Ready that say that the values are not usable, whatever else is wrong. */
const STATES: Readonly<Record<string, CountedState>> = {
  NotYetValid: 'Pending',
  Suspended: 'Suspended',
  Expired: 'Expired',
  Revoked: 'Revoked',
  GrantWithdrawn: 'Revoked',
};

/** See `KeyFacts`. Parses the status, so ask once for each record. */
export function keyFacts({ statusText, storeName }: CachedApiKey): KeyFacts {
  // Our own text of what the API server sent.
  const status = JSON.parse(statusText ?? '{}') as ApiKeyStatus;
  const condition = (wanted: string) => status.conditions?.find(({ type }) => type === wanted);
  const ready = condition('Ready');
  const notice = condition('ExpiringSoon');
  const reason = shared(ready?.reason ?? 'Pending');
  const isExpired = condition('Expired')?.status === 'True';
  const { storeRef } = status;
  return {
    condition: ready?.status ?? 'Unknown',
    reason,
    state: STATES[reason] ?? (isExpired ? 'Expired' : stateByIssue(status)),
    store: storeRef === undefined ? storeName : shared(`${storeRef.kind}/${storeRef.name}`),
    expirationS: seconds(status.expirationTime),
    noticeS: notice?.status === 'True' ? seconds(notice.lastTransitionTime) : undefined,
    rotationDueS: seconds(status.rotationDueTime),
    previousRetireS: seconds(status.previous?.retireTime),
  };
}

function stateByIssue({ sequence, issuedTime }: ApiKeyStatus): CountedState {
  return sequence === undefined && issuedTime === undefined ? 'Pending' : 'Active';
}

function seconds(time: string | undefined): number | undefined {
  const atMs = time === undefined ? undefined : parseTime(time);
  return atMs === undefined ? undefined : Math.floor(atMs / SECOND_MS);
}
