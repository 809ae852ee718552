/**
 * Pure; the vendor's answers as plain values. Members that we know must have their type, members
 * that we do not know are ignored. Every problem is the failure Garbled, with nothing of the body in
 * it: the body may hold key material.
 */
import { Sensitive } from '../../kernel/sensitive.ts';
import { StoreFailure } from '../contract.ts';

/** A key as lists show it. Older lists show the values too; they are dropped here. */
export type ListedKey = {
  readonly id: string;
  readonly tenantId?: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Last change; the vendor tells no time of creation. */
  readonly modifiedMs?: number;
};

/** A key as an answer about one key shows it. */
export type SingleKey = ListedKey & {
  readonly name: string;
  readonly primary?: Sensitive;
  readonly secondary?: Sensitive;
  readonly modifier?: string;
  readonly domainCode?: string;
};

/** One entry of the keys that a product has to do with. */
type ProductKey = {
  readonly id: string;
  /** As the vendor writes it; undefined: it has nothing to do with the product. */
  readonly status: string | undefined;
};

/** A piece of a list. */
export type Page<Entry> = {
  readonly entries: readonly Entry[];
  /** How many there are in all; absent where the vendor does not say. */
  readonly total?: number;
};

type Members = Readonly<Record<string, unknown>>;

/** Goes into paths, so nothing that a path would read otherwise. Documented: up to 10 characters. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;
/**
 * Documented by samples: 40 letters and digits. Wider, in case they change; without the asterisk, so
 * that a value that was masked on the way never reaches a Secret.
 */
const VALUE = /^[A-Za-z0-9._~+/=-]{16,512}$/;
/** What may be shown in a status. */
const FACT = /^[A-Za-z0-9._:@-]{1,64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * The key in an answer about one key. Creating, changing and regenerating wrap it in `apiKey`,
 * reading does not; either is taken.
 *
 * @param id that must be answered; undefined takes any (a new key)
 * @throws StoreFailure Garbled
 */
export function decodeKey(body: string, id: string | undefined): SingleKey {
  const whole = membersOf(parse(body));
  const fields = whole['apiKey'] === undefined ? whole : membersOf(whole['apiKey']);
  const key = singleKey(fields);
  if (id !== undefined && key.id !== id) throw garbled('the answer is about another key');
  return key;
}

/** A page of the account's keys. @throws StoreFailure Garbled */
export function decodePage(body: string): Page<ListedKey> {
  return page(body, (entry) => listedKey(membersOf(entry)));
}

/** A page of the keys of a product, with their state there. @throws StoreFailure Garbled */
export function decodeProductPage(body: string): Page<ProductKey> {
  return page(body, (entry) => {
    const fields = membersOf(entry);
    return { id: idOf(fields), status: textOf(fields, 'status') };
  });
}

/**
 * Checks an answer of which only the status counts: it has no body, or one of the vendor's form. A page of
 * something on the way has another one. @throws StoreFailure Garbled
 */
export function checkEmpty(body: string): void {
  if (body.trim() !== '') membersOf(parse(body));
}

/** Whether the text can be the id of a key; no other one ever was. */
export function isKeyId(text: string): boolean {
  return ID.test(text);
}

/** A failure that says what was wrong in our words. */
export function garbled(what: string): StoreFailure {
  return new StoreFailure('Garbled', {
    message: `the vendor's answer cannot be understood: ${what}`,
  });
}

function page<Entry>(body: string, decode: (entry: unknown) => Entry): Page<Entry> {
  const whole = membersOf(parse(body));
  const { apiKeys, total } = whole;
  if (!Array.isArray(apiKeys)) throw garbled('a list without apiKeys');
  const entries = apiKeys.map(decode);
  if (total === undefined || total === null) return { entries };
  if (!Number.isSafeInteger(total) || Number(total) < 0) throw garbled('total is no number');
  return { entries, total: Number(total) };
}

function singleKey(fields: Members): SingleKey {
  const name = textOf(fields, 'apiKeyName');
  if (name === undefined) throw garbled('a key without apiKeyName');
  const primary = valueOf(fields, 'primaryKey');
  const secondary = valueOf(fields, 'secondaryKey');
  const modifier = factOf(fields, 'modifier');
  const domainCode = factOf(fields, 'domainCode');
  return {
    ...listedKey(fields),
    name,
    ...(primary === undefined ? {} : { primary }),
    ...(secondary === undefined ? {} : { secondary }),
    ...(modifier === undefined ? {} : { modifier }),
    ...(domainCode === undefined ? {} : { domainCode }),
  };
}

function listedKey(fields: Members): ListedKey {
  const enabled = fields['isEnabled'];
  if (typeof enabled !== 'boolean') throw garbled('isEnabled is neither true nor false');
  const tenantId = textOf(fields, 'tenantId');
  if (tenantId !== undefined && !FACT.test(tenantId)) throw garbled('tenantId is no id');
  const modifiedMs = timeOf(fields, 'modTime');
  return {
    id: idOf(fields),
    enabled,
    description: textOf(fields, 'apiKeyDescription') ?? '',
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(modifiedMs === undefined ? {} : { modifiedMs }),
  };
}

function idOf(fields: Members): string {
  const id = textOf(fields, 'apiKeyId');
  if (id === undefined || !isKeyId(id)) throw garbled('apiKeyId is no id');
  return id;
}

function valueOf(fields: Members, name: string): Sensitive | undefined {
  const text = textOf(fields, name);
  if (text === undefined) return undefined;
  if (!VALUE.test(text)) throw garbled(`${name} is no key value`);
  return new Sensitive(text);
}

/** A fact is only shown, never acted upon, so one of an unknown form is left out. */
function factOf(fields: Members, name: string): string | undefined {
  const text = textOf(fields, name);
  return text !== undefined && FACT.test(text) ? text : undefined;
}

/** Both forms in use: with `Z`, and with milliseconds and an offset. */
function timeOf(fields: Members, name: string): number | undefined {
  const text = textOf(fields, name);
  if (text === undefined || !TIME.test(text)) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** null is as good as absent. */
function textOf(fields: Members, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw garbled(`${name} is no text`);
  return value;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw garbled('no JSON');
  }
}

/** The own members, without a prototype, so that no name means anything but itself. */
function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw garbled('no object where one must be');
  }
  return Object.assign(Object.create(null), value) as Members;
}
