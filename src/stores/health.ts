/** Pure; how a store is doing, as far as the last contact showed. */
import { StoreFailure, type FailureKind } from './contract.ts';

/**
 * - Unknown: it was not asked yet.
 * - Connected: it answered and accepts the credentials.
 * - CredentialsNotFound: the Secret, or an entry of it, is missing or unusable.
 * - Denied: it does not accept the credentials.
 * - ClockSkew: it says that our clock is wrong.
 * - AccountChanged: the credentials are of another account than the keys in the store.
 * - NotAllowed: the administrator does not allow its endpoint.
 * - Unreachable: it does not answer, or not in a way that can be understood.
 */
export type HealthState =
  | 'Unknown'
  | 'Connected'
  | 'CredentialsNotFound'
  | 'Denied'
  | 'ClockSkew'
  | 'AccountChanged'
  | 'NotAllowed'
  | 'Unreachable';

/** How it is, since when (wall clock), and one sentence that is safe to show; '' when all is well. */
export type StoreHealth = {
  readonly state: HealthState;
  readonly sinceMs: number;
  readonly message: string;
};

/** Why nothing is asked of a store before anything was sent; `state` is what its health becomes. */
export class Objection extends StoreFailure {
  readonly state: HealthState;

  constructor(state: HealthState, message: string, retryAfterMs?: number) {
    const pause = retryAfterMs === undefined ? {} : { retryAfterMs };
    super('Denied', { message, executed: 'No', ...pause });
    this.state = state;
  }
}

const STATES: Readonly<Partial<Record<FailureKind, HealthState>>> = {
  Denied: 'Denied',
  ClockSkew: 'ClockSkew',
};

/** What a failure says about the health of the whole store. */
export function stateAfter(failure: StoreFailure): HealthState {
  if (failure instanceof Objection) return failure.state;
  return STATES[failure.kind] ?? 'Unreachable';
}
