/** The table of contrib/states.yaml, and the objects of its rows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../../runner/command.ts';
import { APPLICATIONS } from './applications.ts';
import { GRANTED_KEYS } from './granted.ts';
import { KEYS } from './keys.ts';
import { CLIENTS, PRODUCTS, stores } from './offices.ts';
import { REVIEWS } from './reviews.ts';
import type { Kind, Makers } from './situation.ts';

/** What tools make of one situation. */
export type Row = {
  /** Also the name of its file in testdata. */
  readonly name: string;
  readonly situation: string;
  /** Status and reason of Ready. */
  readonly ready: string;
  readonly kstatus: string;
  readonly argo: string;
  /** Verdicts of the two variants in contrib/flux. */
  readonly strict: string;
  readonly tolerant: string;
};

/** How objects of each kind come about. */
export const MAKERS: Readonly<Record<Kind, Makers>> = {
  ApiKey: { ...KEYS, ...GRANTED_KEYS },
  ApiKeyApplication: APPLICATIONS,
  ApiKeyReview: REVIEWS,
  ApiClient: CLIENTS,
  ApiProduct: PRODUCTS,
  KeyStore: stores('KeyStore'),
  ClusterKeyStore: stores('ClusterKeyStore'),
};

/** All kinds, in the order of the table. */
export const KINDS = Object.keys(MAKERS) as readonly Kind[];

type Table = {
  readonly states: Readonly<Record<string, readonly Row[]>>;
  readonly beside: Readonly<Record<string, readonly string[]>>;
};

// Parser: a suite compares every row with what the tools say.
const TABLE = parse(readFileSync(join(ROOT, 'contrib', 'states.yaml'), 'utf8')) as Table;

/** The rows of a kind; both kinds of stores share theirs. */
export function rowsOf(kind: Kind): readonly Row[] {
  return TABLE.states[kind === 'ClusterKeyStore' ? 'KeyStore' : kind] ?? [];
}

/** Further conditions of a kind that change no verdict, as `Type/Reason`. */
export function besideOf(kind: Kind): readonly string[] {
  return TABLE.beside[kind === 'ClusterKeyStore' ? 'KeyStore' : kind] ?? [];
}
