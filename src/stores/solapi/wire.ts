/**
 * Pure; SOLAPI's bodies as plain values. Members that we know must have their type, unknown ones are
 * passed over, and no name of theirs is ever looked up in a prototype. Every problem is the failure
 * Garbled without a word of the body but its error code: answers and lists hold secrets.
 */
import { Sensitive } from '../../kernel/sensitive.ts';
import { parseTime } from '../../kernel/time.ts';
import { StoreFailure, type RemoteListing } from '../contract.ts';

/** The vendor's six calls; all are POST, with the verb in the path. */
export const PATHS = {
  create: '/credentials/createCredential',
  read: '/credentials/getCredentialInfo',
  regenerate: '/credentials/regenerateSecretKey',
  list: '/credentials/getCredentialList',
  update: '/credentials/updateCredentialStatus',
  delete: '/credentials/deleteCredential',
} as const;

/** One of the six calls. */
export type Operation = keyof typeof PATHS;

/** The two states, in exactly these letters. */
export const STATES = { active: 'active', inactive: 'inactive' } as const;

/** A credential in an answer about one. Absent is what this answer does not tell. */
export type WireCredential = {
  readonly apiKey: string;
  readonly apiSecret: Sensitive;
  readonly enabled?: boolean;
  readonly createdMs?: number;
  readonly accountId?: string;
  readonly userId?: string;
};

type Members = ReadonlyMap<string, unknown>;

/** Known ones are NCS and 13 more; only what could break a header, a path or a status is refused. */
const API_KEY = /^[0-9A-Za-z_-]{1,128}$/;
/** Known ones are 32 capitals and digits. A masked value must never reach a Secret: no asterisk. */
const API_SECRET = /^[0-9A-Za-z._~+/=-]{16,512}$/;
/** What may be shown in a status. */
const OWNER = /^[0-9A-Za-z._:@-]{1,128}$/;

/**
 * The credential in an answer to create, read or regenerate.
 *
 * @param id that must be answered; undefined takes any (a new one)
 * @throws StoreFailure Garbled
 */
export function decodeCredential(body: string, id: string | undefined): WireCredential {
  const members = successOf(body);
  const apiKey = textOf(members, 'apiKey') ?? '';
  if (!API_KEY.test(apiKey)) throw garbled('apiKey is none');
  if (id !== undefined && apiKey !== id) throw garbled('it is about another credential');
  const apiSecret = textOf(members, 'apiSecret') ?? '';
  if (!API_SECRET.test(apiSecret)) throw garbled('apiSecret is none');
  return {
    apiKey,
    apiSecret: new Sensitive(apiSecret),
    ...stateOf(members),
    ...createdOf(members),
    ...ownerOf(members),
  };
}

/**
 * The credentials of a list: a map by apiKey without pages. An empty map may come as an empty list.
 * What has neither state nor secret is no credential and is passed over; everything else counts, of
 * whatever form its name is, because strangers' credentials must be seen too.
 *
 * @throws StoreFailure Garbled
 */
export function decodeList(body: string): readonly RemoteListing[] {
  const credentials = successOf(body).get('credentials');
  if (Array.isArray(credentials) && credentials.length === 0) return [];
  return [...membersOf(credentials)].flatMap(([id, value]) => {
    if (!isObject(value)) return [];
    const members = membersOf(value);
    const state = members.get('credentialStatus');
    if (typeof state !== 'string' && !members.has('apiSecret')) return [];
    return [{ id, enabled: state === STATES.active, ...createdOf(members) }];
  });
}

/**
 * The state in the answer to a change of it, which must be about the credential, with `Success`. The
 * vendor's table promises no `resultCode` there and its samples show no state, so both may be absent.
 *
 * @throws StoreFailure Garbled
 */
export function decodeUpdated(body: string, id: string): { readonly enabled?: boolean } {
  const members = successOf(body);
  checkIsAbout(members, id);
  if (members.has('resultCode')) checkSuccess(members);
  return stateOf(members);
}

/** Checks the answer to a deletion: the credential, and `Success`. @throws StoreFailure Garbled */
export function checkDeleted(body: string, id: string): void {
  const members = successOf(body);
  checkIsAbout(members, id);
  checkSuccess(members);
}

/** The vendor's word for what went wrong, in either of its two forms; undefined: there is none. */
export function codeOf(body: string): string | undefined {
  const value = tryParse(body);
  if (!isObject(value)) return undefined;
  const members = membersOf(value);
  const codes = [members.get('errorCode'), members.get('resultCode')];
  return codes.find((code): code is string => typeof code === 'string' && code !== '');
}

/**
 * The members of a body of success. An error that comes with such a status is no answer at all: the vendor
 * says with its status which of its codes mean that nothing was done.
 */
function successOf(body: string): Members {
  const members = membersOf(parse(body));
  const code = members.get('errorCode');
  if (typeof code === 'string' && code !== '') {
    throw garbled('an error with a status of success', code);
  }
  return members;
}

function checkIsAbout(members: Members, id: string): void {
  if (members.get('apiKey') !== id) throw garbled('it is about another credential');
}

function checkSuccess(members: Members): void {
  if (members.get('resultCode') !== 'Success') throw garbled('it is no success and no error');
}

function stateOf(members: Members): { readonly enabled?: boolean } {
  const state = textOf(members, 'credentialStatus');
  if (state === undefined) return {};
  if (state === STATES.active) return { enabled: true };
  if (state === STATES.inactive) return { enabled: false };
  throw garbled('credentialStatus is neither active nor inactive');
}

/** Absent when it is no instant: nothing but the search for a lost answer needs it, and that asks. */
function createdOf(members: Members): { readonly createdMs?: number } {
  const text = members.get('dateCreated');
  const createdMs = typeof text === 'string' ? parseTime(text) : undefined;
  return createdMs === undefined ? {} : { createdMs };
}

/** The table promises both, the samples have neither. */
function ownerOf(members: Members): Pick<WireCredential, 'accountId' | 'userId'> {
  const accountId = members.get('accountId');
  const userId = members.get('userId');
  return {
    ...(isOwner(accountId) ? { accountId } : {}),
    ...(isOwner(userId) ? { userId } : {}),
  };
}

function isOwner(value: unknown): value is string {
  return typeof value === 'string' && OWNER.test(value);
}

function textOf(members: Members, name: string): string | undefined {
  const value = members.get(name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw garbled(`${name} is no text`);
  return value;
}

/** As a Map, in which `__proto__` and `constructor` are names like any other. */
function membersOf(value: unknown): Members {
  if (!isObject(value)) throw garbled('there is no object where one must be');
  return new Map(Object.entries(value));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(body: string): unknown {
  const value = tryParse(body);
  if (value === undefined) throw garbled('it is no JSON');
  return value;
}

function tryParse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** @param code the vendor's own, where it sent one */
function garbled(what: string, code?: string): StoreFailure {
  return new StoreFailure('Garbled', {
    message: `SOLAPI's answer cannot be understood: ${what}`,
    ...(code === undefined ? {} : { code }),
  });
}
