/** What the fake SOLAPI keeps: accounts, their users and credentials, and the signatures it has seen. */
import type { Entropy } from '../../src/kernel/entropy.ts';

/** A credential as the vendor keeps it. */
export type StoredCredential = {
  readonly apiKey: string;
  /** Of the account, by its number. */
  readonly accountId: string;
  apiSecret: string;
  credentialStatus: string;
  readonly createdMs: number;
};

/** An account with one user. */
export type StoredAccount = {
  readonly accountId: string;
  readonly userId: string;
  readonly signingSecret: string;
  /** The credential that signs for it in scheme HMAC; one of its credentials like any other. */
  readonly apiKey?: string;
};

/** All that a restart keeps. */
export type SolapiState = {
  readonly accounts: readonly StoredAccount[];
  credentials: StoredCredential[];
  /** Who and signature to the instant until which it is remembered. */
  seen: Record<string, number>;
};

const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Largest multiple of 36 that a byte can hold; bytes from here on would favour the first letters. */
const UNBIASED_BELOW = 252;

/** How the accounts of a fresh fake look. */
export type FirstAccounts = {
  readonly entropy: Entropy;
  readonly nowMs: number;
  /** HMAC: each account begins with the one credential that signs for it. */
  readonly scheme: 'User' | 'HMAC';
  /** Credentials of other people in the first account. */
  readonly strangers: number;
};

/** Two accounts: ours and somebody else's. */
export function firstState({ entropy, nowMs, scheme, strangers }: FirstAccounts): SolapiState {
  const state: SolapiState = { accounts: [], credentials: [], seen: {} };
  const accounts = ['18010100000001', '18010100000002'].map((accountId, at): StoredAccount => {
    const own = scheme === 'HMAC' ? addCredential(state, { accountId, entropy, nowMs }) : undefined;
    return {
      accountId,
      userId: at === 0 ? 'owner-1' : 'owner-2',
      signingSecret: capitals(entropy, 40),
      ...(own === undefined ? {} : { apiKey: own.apiKey }),
    };
  });
  const [{ accountId } = { accountId: '' }] = accounts;
  for (let made = 0; made < strangers; made += 1)
    addCredential(state, { accountId, entropy, nowMs });
  return { ...state, accounts };
}

/** Makes an active credential: NCS and 13 capitals or digits, with a secret of 32. */
export function addCredential(
  state: SolapiState,
  {
    accountId,
    entropy,
    nowMs,
  }: { readonly accountId: string; readonly entropy: Entropy; readonly nowMs: number },
): StoredCredential {
  const credential: StoredCredential = {
    apiKey: `NCS${capitals(entropy, 13)}`,
    accountId,
    apiSecret: freshSecret(entropy),
    credentialStatus: 'active',
    createdMs: nowMs,
  };
  state.credentials.push(credential);
  return credential;
}

/** A secret in the vendor's form. */
export function freshSecret(entropy: Entropy): string {
  return capitals(entropy, 32);
}

/** Capitals and digits, each equally likely. */
function capitals(entropy: Entropy, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of entropy(length * 2)) {
      if (byte < UNBIASED_BELOW && text.length < length) text += CAPITALS.charAt(byte % 36);
    }
  }
  return text;
}
