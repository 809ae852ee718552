/**
 * The rules of the two policies that say who wrote a form or a review, as this version brings them. A forgery
 * shows that a policy refuses the operator's own lies, and not that it refuses everybody's: with one more
 * word it lets a single user pass. Pure.
 */
import { createHash } from 'node:crypto';

/** Digests by `rulesDigest` of the policies in deploy/admission; a test compares them. */
export const SHIPPED_RULES = {
  applications: '617c2bc26203cfe564cc292b0a859d7c61cbf21316ef99d5aef057e43c4c3766',
  reviews: '71d876b044c0eaf9444b9e380b391c2fb820198f0f8cc75944590875f813eeeb',
} as const;

type Fields = Readonly<Record<string, unknown>>;

/** SHA-256 over the expressions of a policy in their order, as hex; what it says to people may differ. */
export function rulesDigest({ variables, validations }: Fields): string {
  const said = [
    list(variables).map(({ name, expression }) => [name, expression]),
    list(validations).map(({ expression }) => expression),
  ];
  return createHash('sha256').update(JSON.stringify(said), 'utf8').digest('hex');
}

function list(value: unknown): readonly Fields[] {
  // Parser: the schema of the API server says that entries are objects.
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}
