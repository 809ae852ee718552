/**
 * Pure; the mark by which a credential at a vendor is known to be ours: which installation made it,
 * and for which generation. Not secret, and no proof to anybody but us: what it names must be in the
 * ledger.
 */
import { hash } from 'node:crypto';
import { TOKEN_LENGTH } from '../keys/token.ts';

/** See the file comment. */
export type Mark = {
  /** 10 characters that tell installations apart that share an account. */
  readonly cluster: string;
  /** 26 Base32 characters: the credential generation. */
  readonly token: string;
  /** Counts create calls whose result had to be thrown away, from 1. */
  readonly attempt: number;
};

const CLUSTER_LENGTH = 10;
const SHORT_TOKEN_LENGTH = 18;
const MARK = /^keyward ([0-9a-f]{10}) ([a-z2-7]{26})(?: ([1-9][0-9]?))?$/;

/** The short name of an installation, from its random id. */
export function clusterMark(clusterId: string): string {
  return hash('sha256', clusterId, 'hex').slice(0, CLUSTER_LENGTH);
}

/** The mark as text of at most 48 characters, for a description or label. */
export function markText({ cluster, token, attempt }: Mark): string {
  const text = `keyward ${cluster} ${token}`;
  return attempt === 1 ? text : `${text} ${attempt}`;
}

/** The mark in a text, or undefined when the text is none. Repeatable. */
export function parseMark(text: string): Mark | undefined {
  const [, cluster, token, attempt] = MARK.exec(text) ?? [];
  if (cluster === undefined || token?.length !== TOKEN_LENGTH) return undefined;
  return { cluster, token, attempt: Number(attempt ?? 1) };
}

/** 20 characters for a name that can be filtered by: `kw` and 90 bits of the token. */
export function markName({ token }: Pick<Mark, 'token'>): string {
  return `kw${token.slice(0, SHORT_TOKEN_LENGTH)}`;
}

/**
 * Whether two marks name the same generation, whatever the attempt. The token alone says so: it is made from
 * the installation's id as well, which may be another one by now (`keyward restore --rebind`).
 */
export function isSameGeneration(a: Mark | undefined, b: Mark): boolean {
  return a?.token === b.token;
}
