/**
 * Pure; calls that digiRunner's clients sign: `Authorization: DGRK <key>.<signature>`, a keyed hash over
 * the body. It has no date and no salt, so whoever sees a call can send it again. See docs/gate.md.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Sensitive } from '../../kernel/sensitive.ts';
import type { Credential } from '../call.ts';

/** The parts of such a header; nothing is proven yet. */
export type BodySignedCredential = Extract<Credential, { readonly type: 'BodySigned' }>;

const HEADER_MAX = 1024;
/** Longer bodies are not looked at: 1 MiB is the largest that Envoy is told to pass on. */
const BODY_MAX = 1024 * 1024;

/**
 * The parts of `DGRK <key>.<signature>`, the scheme in any case, or undefined when it is another one or
 * malformed: the key has 1 to 256 characters and no full stop, the signature is the Base64 of 32 bytes.
 */
export function parseBodySigned(text: string): BodySignedCredential | undefined {
  if (text.length > HEADER_MAX) return undefined;
  const [, apiKey, signature] =
    /^DGRK +([0-9A-Za-z_+/=-]{1,256})\.([0-9A-Za-z+/]{43}=) *$/i.exec(text) ?? [];
  if (apiKey === undefined || signature === undefined) return undefined;
  return { type: 'BodySigned', apiKey, signature };
}

/**
 * Whether the holder of the secret signed this body: Base64 of HMAC-SHA256 over the payload, the key
 * and the secret itself. The payload is empty for an empty body and else the JSON text without blanks
 * (`minifyJson`); any other body cannot be verified, nor one that is not known.
 *
 * Nothing stands between payload and key, so the caller has to know that the key is the one of this
 * secret, to the letter: see `prover.ts`.
 *
 * @param secret the `apiSecret` as its holder has it
 * @param body the whole body; undefined: the gateway did not pass it on
 */
export function verifyBodySigned(
  { apiKey, signature }: BodySignedCredential,
  secret: Sensitive,
  body: Uint8Array | undefined,
): 'Ok' | 'WrongSignature' {
  const payload = body === undefined ? undefined : payloadOf(body);
  if (payload === undefined) return 'WrongSignature';
  const expected = createHmac('sha256', secret.reveal())
    .update(payload)
    .update(apiKey)
    .update(secret.reveal())
    .digest();
  const presented = Buffer.from(signature, 'base64');
  // The last letter of Base64 has spare bits; only one spelling of a signature is one.
  const isCanonical = presented.length === 32 && presented.toString('base64') === signature;
  return isCanonical && timingSafeEqual(presented, expected) ? 'Ok' : 'WrongSignature';
}

/**
 * A JSON text without the blanks, tabs and line ends between its tokens. Nothing else changes: order,
 * doubled fields, numbers and escapes stay as they were written. Undefined when it is no JSON text
 * (RFC 8259; a byte order mark is none), so that nothing is signed that has no meaning.
 */
export function minifyJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let minified = '';
  for (let at = 0; at < text.length;) {
    const isString = text[at] === '"';
    const end = isString ? endOfString(text, at) : endOfRun(text, at);
    minified += isString ? text.slice(at, end) : text.slice(at, end).replaceAll(/[ \t\n\r]+/g, '');
    at = end;
  }
  return minified;
}

function payloadOf(body: Uint8Array): string | undefined {
  if (body.length === 0) return '';
  if (body.length > BODY_MAX) return undefined;
  try {
    return minifyJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    // Not UTF-8.
    return undefined;
  }
}

/** Behind the quotation mark that closes the string; the text is known to be JSON. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfRun(text: string, start: number): number {
  const at = text.indexOf('"', start);
  return at < 0 ? text.length : at;
}
