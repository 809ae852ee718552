/** What a failure at a vendor is about: one credential, or all that the account has. Pure. */
import { classify } from '../kernel/errors.ts';
import { StoreFailure } from './contract.ts';

/** What a failure at an account that could be opened is about. */
export type Subject = 'Credential' | 'Store' | 'Either';

/** A vendor that cannot process one credential answers as one that is down, so that is open. */
export function subjectOf(error: unknown): Subject {
  if (!(error instanceof StoreFailure)) {
    return classify(error).class === 'Conflict' ? 'Credential' : 'Either';
  }
  // A right that the account lacks is missing for others, too.
  if (error.kind === 'Refused') return error.class === 'Waiting' ? 'Either' : 'Credential';
  const isOpen = error.kind === 'Unavailable' || error.kind === 'Garbled';
  // What did not even leave says nothing about a credential: no connection, a way that is closed.
  return isOpen && error.executed === 'Unknown' ? 'Either' : 'Store';
}
