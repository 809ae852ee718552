/**
 * Pure; what applications ask in JSON instead of headers. Strict: fields that are not known, of another
 * type or written twice are an error that names the field, and never repeats what it holds.
 */
import type { Call, Credential } from '../call.ts';
import type { Decision } from '../decision.ts';
import { isOneValue, readAuthorization, type Shown } from '../reading/credential.ts';
import { TARGET_LENGTH_MAX } from '../reading/readcall.ts';
import { findDoubledField } from './doubledfield.ts';

/** What is wrong with a question; `message` begins with the field, if it is about one. */
type Problem = { readonly problem: string };

const TEXTS = ['method', 'host', 'target', 'origin', 'referer', 'address', 'product'] as const;
const FIELDS: readonly string[] = ['credential', 'body', ...TEXTS];
/** The ways to show a credential; exactly one of these sets of fields. */
const CREDENTIAL_FORMS = ['value', 'apiKey,apiSecret', 'authorization'];

type Fields = Readonly<Record<string, unknown>>;

/** The call that a JSON text describes. Never throws. */
export function parseVerification(text: string): Call | Problem {
  const value = parseJson(text);
  if (value === undefined) return { problem: 'the body must be JSON' };
  if (!isFields(value)) return { problem: 'the body must be a JSON object' };
  if (findDoubledField(text)) return { problem: 'a field is written twice' };
  const odd = Object.keys(value).some((name) => !FIELDS.includes(name));
  if (odd) return { problem: `a field is not known; there are ${FIELDS.join(', ')}` };
  const texts = readTexts(value);
  if (isProblem(texts)) return texts;
  const shown = readCredential(value['credential']);
  if (isProblem(shown)) return shown;
  const body = readBase64(value['body']);
  if (isProblem(body)) return body;
  return { ...shown, ...texts, body, isSpoofed: false };
}

/** Whether reading found something wrong. */
export function isProblem(result: object | undefined): result is Problem {
  return result !== undefined && 'problem' in result;
}

/** The answer to an application, as JSON. */
export function verificationAnswer(decision: Decision): string {
  if (decision.type === 'Refused') {
    const { refusal, retryAfterSeconds } = decision;
    const { reason, text } = refusal;
    return JSON.stringify({ allowed: false, reason, message: text, retryAfterSeconds });
  }
  const { caller, quotaRemaining } = decision;
  const { keyId, namespace, name, client, application } = caller;
  return JSON.stringify({
    allowed: true,
    caller: { keyId, namespace, name, client, application },
    quotaRemaining,
  });
}

function readCredential(value: unknown): Shown | Problem {
  if (!isFields(value)) return { problem: 'credential must be an object' };
  const names = Object.keys(value).toSorted();
  if (!CREDENTIAL_FORMS.includes(names.join(','))) {
    return { problem: 'credential must have value, or apiKey and apiSecret, or authorization' };
  }
  for (const name of names) {
    if (typeof value[name] !== 'string') return { problem: `credential.${name} must be a string` };
  }
  // All fields are strings, as was just checked.
  const fields = value as Readonly<Record<string, string>>;
  const { authorization } = fields;
  if (authorization !== undefined) return readAuthorization(authorization);
  return { credential: credentialOf(fields), profile: 'Keyward' };
}

function credentialOf({ value, apiKey, apiSecret }: Readonly<Record<string, string>>): Credential {
  const [first = '', second] = value === undefined ? [apiKey, apiSecret] : [value];
  if (first === '' && (second ?? '') === '') return { type: 'None' };
  if (!isOneValue(first)) return { type: 'Ambiguous' };
  if (second === undefined) return { type: 'Value', value: first };
  return isOneValue(second)
    ? { type: 'Pair', apiKey: first, apiSecret: second }
    : { type: 'Ambiguous' };
}

type Texts = { readonly [name in (typeof TEXTS)[number]]?: string };

function readTexts(value: Fields): Texts | Problem {
  const texts: { -readonly [name in keyof Texts]: Texts[name] } = {};
  for (const name of TEXTS) {
    const text = value[name];
    if (text === undefined) continue;
    if (typeof text !== 'string') return { problem: `${name} must be a string` };
    if (text.length > TARGET_LENGTH_MAX) return { problem: `${name} is too long` };
    // Such characters cannot come in over HTTP either.
    if (hasControls(text)) return { problem: `${name} must not contain control characters` };
    texts[name] = text;
  }
  return texts;
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 32 || code === 127) return true;
  }
  return false;
}

function readBase64(value: unknown): Uint8Array | undefined | Problem {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return { problem: 'body must be a string' };
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : { problem: 'body must be Base64' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
