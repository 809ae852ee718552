/**
 * Pure; the vendor's signature, version 2: Base64 of an HMAC-SHA256 over method, path, time and
 * access key. The body is not covered. The path is signed as it is sent, query included, a doubled
 * slash included: whoever changes it afterwards breaks the signature.
 */
import { createHmac } from 'node:crypto';
import type { Sensitive } from '../../kernel/sensitive.ts';

/** What is signed. */
type SignedParts = {
  readonly method: string;
  /** Absolute path with query, exactly as sent. */
  readonly path: string;
  /** Unix milliseconds; the vendor refuses a difference of five minutes and more. */
  readonly timestampMs: number;
  /** Names the pair; no secret. */
  readonly accessKey: string;
};

/** The signature of one attempt: 44 characters of Base64. */
export function sign(parts: SignedParts, secretKey: Sensitive): string {
  const { method, path, timestampMs, accessKey } = parts;
  return createHmac('sha256', secretKey.reveal())
    .update(`${method} ${path}\n${timestampMs}\n${accessKey}`)
    .digest('base64');
}

/** The headers that authenticate one attempt. */
export function signedHeaders(
  parts: SignedParts,
  secretKey: Sensitive,
): Readonly<Record<string, string>> {
  return {
    'x-ncp-apigw-timestamp': String(parts.timestampMs),
    'x-ncp-iam-access-key': parts.accessKey,
    'x-ncp-apigw-signature-v2': sign(parts, secretKey),
  };
}
