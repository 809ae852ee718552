/** Who sends a request to the fake SOLAPI, or why it does not believe him. */
import { Sensitive } from '../../src/kernel/sensitive.ts';
import {
  isSignedWith,
  isTimely,
  parseAuthorization,
  readDateMs,
  REPLAY_MEMORY_MS,
  type Authorization,
} from '../../src/stores/solapi/authorization.ts';
import type { SolapiState, StoredAccount } from './accounts.ts';

/** The vendor's words for not believing; all of them are answered with 403. */
export type Disbelief =
  | 'InvalidAPIKey'
  | 'SignatureDoesNotMatch'
  | 'RequestTimeTooSkewed'
  | 'DuplicatedSignature';

/**
 * The account for which the header speaks. A header that proves itself is remembered in the state and
 * refused from then on, as long as its date could still be believed.
 */
export function authenticate(
  state: SolapiState,
  header: string | undefined,
  nowMs: number,
): StoredAccount | Disbelief {
  const authorization = parseAuthorization(header ?? '');
  if (authorization === undefined) return 'SignatureDoesNotMatch';
  const signer = findSigner(state, authorization);
  if (signer === undefined) return 'InvalidAPIKey';
  if (!isSignedWith(authorization, new Sensitive(signer.secret))) return 'SignatureDoesNotMatch';
  const dateMs = readDateMs(authorization.date);
  if (dateMs === undefined || !isTimely(dateMs, nowMs)) return 'RequestTimeTooSkewed';
  return isRepeated(state, authorization, nowMs) ? 'DuplicatedSignature' : signer.account;
}

type Signer = { readonly account: StoredAccount; readonly secret: string };

function findSigner(state: SolapiState, { scheme, id }: Authorization): Signer | undefined {
  if (scheme === 'User') {
    const account = state.accounts.find(({ userId }) => userId === id);
    return account && { account, secret: account.signingSecret };
  }
  const credential = state.credentials.find(({ apiKey }) => apiKey === id);
  if (credential?.credentialStatus !== 'active') return undefined;
  const account = state.accounts.find(({ accountId }) => accountId === credential.accountId);
  return account && { account, secret: credential.apiSecret };
}

function isRepeated(state: SolapiState, { id, signature }: Authorization, nowMs: number): boolean {
  const remembered = Object.entries(state.seen).filter(([, untilMs]) => untilMs >= nowMs);
  state.seen = Object.fromEntries(remembered);
  const name = `${id} ${signature}`;
  if (Object.hasOwn(state.seen, name)) return true;
  state.seen[name] = nowMs + REPLAY_MEMORY_MS;
  return false;
}
