/** The parameters of a request to the fake SOLAPI, from either kind of body. */
import type { FakeRequest } from '../vendor.ts';

/** By name; only texts count. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * JSON and forms are both taken, as the document's samples send both; no body is no parameters. What
 * begins like JSON is JSON whatever its label, because curl labels everything a form.
 * undefined: it is neither.
 */
export function parametersOf({ headers, body }: FakeRequest): Parameters | undefined {
  const text = body.trim();
  if (text === '') return new Map();
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  if (isForm && !text.startsWith('{')) return new Map(new URLSearchParams(text));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const members: readonly [string, unknown][] = Object.entries(value);
    return new Map(
      members.filter((member): member is [string, string] => typeof member[1] === 'string'),
    );
  } catch {
    return undefined;
  }
}
