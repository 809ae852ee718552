/**
 * Pure; what a header's content shows as a credential. Strict: one value, visible ASCII, nothing
 * around it. What could be read in two ways is Ambiguous, so that it is refused, never guessed.
 */
import type { StoreProfile } from '../../ledger/documents.ts';
import type { Credential } from '../call.ts';
import { parseBodySigned } from '../schemes/bodysigned.ts';
import { parseSigned } from '../schemes/signed.ts';

/** A credential, and whose habits it follows. */
export type Shown = { readonly credential: Credential; readonly profile: StoreProfile };

/** Nothing that looks like a credential. */
export const NOTHING_SHOWN: Shown = { credential: { type: 'None' }, profile: 'Keyward' };
/** Nobody can say which was meant. */
export const DOUBTFUL: Shown = { credential: { type: 'Ambiguous' }, profile: 'Keyward' };

/** No credential is longer: SOLAPI's with all its parameters has some 250 characters. */
const LENGTH_MAX = 1_024;
/** Visible ASCII but for the comma, which joins what were several headers. */
const ONE_VALUE = /^[\x21-\x2b\x2d-\x7e]+$/;
const ONE_BEARER = /^Bearer [\x21-\x2b\x2d-\x7e]{1,1024}$/;
const SCHEME = /^([A-Za-z0-9-]+)(?: (.*))?$/s;

/** What a header shows that holds nothing but a key. Empty and blank: nothing. */
export function readKeyHeader(text: string, profile: StoreProfile): Shown {
  if (isBlank(text)) return NOTHING_SHOWN;
  if (!isOneValue(text)) return { credential: DOUBTFUL.credential, profile };
  return { credential: { type: 'Value', value: text }, profile };
}

/** What an Authorization header shows. Schemes that are not ours count as nothing. */
export function readAuthorization(text: string): Shown {
  // By far the most common first.
  if (ONE_BEARER.test(text)) return bearer(text);
  if (isBlank(text)) return NOTHING_SHOWN;
  // What is not of the form of the header at all, others may see anything in.
  const [, scheme = '', rest = ''] = SCHEME.exec(text) ?? [];
  return scheme === '' ? DOUBTFUL : readScheme(scheme.toLowerCase(), rest, text);
}

function readScheme(scheme: string, rest: string, text: string): Shown {
  switch (scheme) {
    case 'bearer':
      if (isBlank(rest)) return NOTHING_SHOWN;
      return isOneValue(rest) ? bearer(text) : DOUBTFUL;
    case 'hmac-sha256':
    case 'hmac-md5':
      return { credential: parseSigned(text) ?? DOUBTFUL.credential, profile: 'Solapi' };
    case 'dgrk':
      return { credential: parseBodySigned(text) ?? DOUBTFUL.credential, profile: 'DigiRunner' };
    default:
      return NOTHING_SHOWN;
  }
}

/** Whether the text can be one key: visible ASCII without comma, of bearable length. */
export function isOneValue(text: string): boolean {
  return text.length <= LENGTH_MAX && ONE_VALUE.test(text);
}

function bearer(text: string): Shown {
  return { credential: { type: 'Value', value: text.slice(7) }, profile: 'Keyward' };
}

function isBlank(text: string): boolean {
  return /^[ \t]*$/.test(text);
}
