/** What the fake NAVER checks of a request before it looks at what is wanted. */
import { timingSafeEqual } from 'node:crypto';
import type { FakeAccount } from '../../kit/fake.ts';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { sign } from '../../src/stores/naver/signature.ts';
import type { FakeRequest } from '../vendor.ts';

/** The members of a JSON body; what they are is looked at one by one. */
export type Body = Readonly<Record<string, unknown>>;

/** A difference of five minutes is too much already. */
const SKEW_MS = 300_000;

/** Whose access key signed the request in time; undefined: nobody's. */
export function signerOf(
  { method, path, headers }: FakeRequest,
  accounts: readonly FakeAccount[],
  nowMs: number,
): FakeAccount | undefined {
  const accessKey = headers['x-ncp-iam-access-key'] ?? '';
  const timestamp = headers['x-ncp-apigw-timestamp'] ?? '';
  const account = accounts.find(({ credentials }) => credentials['accessKey'] === accessKey);
  if (account === undefined || !/^\d{1,16}$/.test(timestamp)) return undefined;
  const timestampMs = Number(timestamp);
  const secretKey = new Sensitive(account.credentials['secretKey'] ?? '');
  const expected = sign({ method, path, timestampMs, accessKey }, secretKey);
  const isGenuine = isEqual(expected, headers['x-ncp-apigw-signature-v2'] ?? '');
  return isGenuine && Math.abs(nowMs - timestampMs) < SKEW_MS ? account : undefined;
}

/** The JSON body; empty for calls that have none, undefined for what is no JSON object. */
export function bodyOf({ method, headers, body }: FakeRequest): Body | undefined {
  if (method === 'GET' || method === 'DELETE') return {};
  if (headers['content-type']?.startsWith('application/json') !== true) return undefined;
  try {
    const sent: unknown = JSON.parse(body);
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return undefined;
    // Members are looked at one by one, whatever they are.
    return sent as Body;
  } catch {
    return undefined;
  }
}

/** What a list or search asks for. */
export type Range = { readonly offset: unknown; readonly limit: unknown };

/** The range in a body. */
export function rangeOf(body: Body): Range {
  return { offset: body['offset'], limit: body['limit'] };
}

/** Absent, or whole numbers: an offset from 0, a limit from 1 on. */
export function isRange({ offset, limit }: Range): boolean {
  return isWhole(offset, 0) && isWhole(limit, 1);
}

/** The piece of a list that a caller asked for, or as much of it as there may be. */
export function pageOf<Entry>(
  entries: readonly Entry[],
  range: Range,
  pageMax: number,
): readonly Entry[] {
  const offset = Number(range.offset ?? 0);
  return entries.slice(offset, offset + Math.min(Number(range.limit ?? pageMax), pageMax));
}

function isWhole(value: unknown, min: number): boolean {
  if (value === undefined || value === null) return true;
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && value !== '');
  return isNumeric && Number.isSafeInteger(Number(value)) && Number(value) >= min;
}

function isEqual(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
