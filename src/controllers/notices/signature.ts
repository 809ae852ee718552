/**
 * Headers by which a receiver knows that a notice is ours and not a replay, as Standard Webhooks
 * (standardwebhooks.com) has them: HMAC-SHA256 over id, time and body, so that any of its libraries can
 * check them. Pure.
 */
import { createHmac } from 'node:crypto';
import { KeywardError } from '../../kernel/errors.ts';
import { Sensitive } from '../../kernel/sensitive.ts';
import { SECOND_MS } from '../../kernel/time.ts';

const PREFIX = 'whsec_';
/** What the specification asks of a secret. */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;

/** What is signed. */
type Signed = {
  /** Unique for the notice, the same for each attempt: what receivers tell repetitions by. */
  readonly id: string;
  /** Of this attempt. */
  readonly atMs: number;
  readonly body: string;
};

/** The headers of one attempt. `secrets`: the current one, and others while they are exchanged. */
export function signatureHeaders(
  secrets: readonly Sensitive[],
  { id, atMs, body }: Signed,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(atMs / SECOND_MS));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', Buffer.from(secret.revealText(), 'base64'));
    return `v1,${hmac.update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/**
 * Secrets of a file, one per line: `whsec_` and 24 to 64 bytes in Base64. Two lines while a secret is
 * exchanged: both sign, so the receiver may change over at any time.
 *
 * @throws KeywardError Terminal WebhookSecretInvalid
 */
export function parseSecrets(text: string): readonly Sensitive[] {
  const lines = text.split('\n').map((line) => line.trim());
  const secrets = lines.filter((line) => line !== '').map(parseSecret);
  if (secrets.length > 0) return secrets;
  throw invalid('is empty');
}

function parseSecret(line: string): Sensitive {
  const encoded = line.startsWith(PREFIX) ? line.slice(PREFIX.length) : '';
  const { length } = Buffer.from(encoded, 'base64');
  const isWhole = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded);
  if (isWhole && length >= SECRET_BYTES_MIN && length <= SECRET_BYTES_MAX) {
    return new Sensitive(encoded);
  }
  throw invalid('holds a line that is not one');
}

function invalid(what: string): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'WebhookSecretInvalid',
    message: `the file of --webhook-secret-file ${what}; make a secret with: echo "whsec_$(openssl rand -base64 32)"`,
  });
}
