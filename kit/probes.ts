/** What the cases ask again and again. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { inspect } from 'node:util';
import { SLOTS, type SlotName } from '../src/keys/mint.ts';
import {
  StoreFailure,
  type FailureKind,
  type NewCredential,
  type RemoteCredential,
  type RemoteListing,
  type RemoteStore,
} from '../src/stores/contract.ts';
import type { Mark } from '../src/stores/mark.ts';
import type { FakeControl, VendorCredential } from './fake.ts';
import type { Site } from './subject.ts';

const PATIENCE_MS = 10_000;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A signal that is never aborted. */
export const GOING_ON: AbortSignal = new AbortController().signal;

/** A mark that no other call has used. */
export function freshMark(attempt = 1): Mark {
  const token = Array.from({ length: 26 }, () => BASE32.charAt(randomInt(32))).join('');
  return { cluster: '0123456789', token, attempt };
}

/** What a create call asks for when nothing about it matters. */
export function wanted({ handle }: Site, mark: Mark = freshMark()): NewCredential {
  return { mark, format: handle.defaultFormat, name: 'a name', description: 'a description' };
}

/** The names of the values of a credential of the store's own format. */
export function slotsOf({ handle }: Site): readonly SlotName[] {
  return SLOTS[handle.defaultFormat];
}

/** Creates one, and proves that the vendor has it. */
export async function create(site: Site, mark?: Mark): Promise<RemoteCredential> {
  const made = await site.store.create(wanted(site, mark), GOING_ON);
  atVendor(site, made.id);
  return made;
}

/** The credential as the vendor has it. @throws AssertionError when it has none */
export function atVendor({ fake }: Pick<Site, 'fake'>, id: string): VendorCredential {
  const found = fake.credentials().find((credential) => credential.id === id);
  return found ?? assert.fail('the vendor has no credential of the id that was answered');
}

/** The credentials of our own account. */
export function ours(fake: FakeControl): readonly VendorCredential[] {
  const [account] = fake.accounts;
  return fake.credentials().filter(({ accountId }) => accountId === account?.id);
}

/** Reads one that must be there. */
export async function readIt({ store }: Site, id: string): Promise<RemoteCredential> {
  const found = await store.read(id, GOING_ON);
  return found ?? assert.fail('a credential that exists was not found');
}

/** Values in the clear, to compare with the vendor's. */
export function shown({ values }: RemoteCredential): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([slot, value]) => [slot, value.revealText()]),
  );
}

/** Every value that the answer shows is the vendor's, and all slots are there. */
export function assertShowsAll(site: Site, credential: RemoteCredential): void {
  assert.deepEqual(Object.keys(credential.values).toSorted(), slotsOf(site).toSorted());
  assertShowsOnlyTruth(site, credential);
}

/** What is shown is what the vendor has. */
export function assertShowsOnlyTruth(site: Site, credential: RemoteCredential): void {
  const truth: Readonly<Record<string, string | undefined>> = atVendor(site, credential.id).values;
  for (const [slot, value] of Object.entries(shown(credential))) assert.equal(value, truth[slot]);
}

/** The failure of a call that must fail, with one of the kinds; StoreFailures only. */
export async function failureOf(
  call: Promise<unknown>,
  ...kinds: readonly FailureKind[]
): Promise<StoreFailure> {
  const failure = await call.then(
    () => assert.fail('a call succeeded that cannot have'),
    (err: unknown) => err,
  );
  if (!(failure instanceof StoreFailure)) {
    return assert.fail(`not a StoreFailure: ${inspect(failure)}`);
  }
  if (kinds.length > 0) assert.ok(kinds.includes(failure.kind), `kind is ${failure.kind}`);
  return failure;
}

/** The ids that two lists do not share, in the second. */
export function difference(
  before: readonly RemoteListing[],
  after: readonly RemoteListing[],
): readonly string[] {
  const known = new Set(before.map(({ id }) => id));
  return after.map(({ id }) => id).filter((id) => !known.has(id));
}

/** Waits until something is so; bounded. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    assert.ok(performance.now() < endMs, `waited in vain: ${what}`);
    // Looking again is the point.
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The call's outcome, or an assertion that it never settles. */
export async function settling<T>(call: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new assert.AssertionError({ message: 'never settles' })),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([call, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A call of the contract on a credential that exists. */
export type Method = Exclude<keyof RemoteStore, 'subscriptions'>;

/** Every call of the contract by name; `find` and `regenerate` only where the store has them. */
export function methodsOf(site: Site): readonly Method[] {
  const { class: kind } = site.handle.capabilities;
  const marked = kind === 'M' || kind === 'O' || kind === 'I';
  return [
    'login',
    'create',
    'read',
    ...(marked ? (['find'] as const) : []),
    'list',
    'update',
    ...(canRegenerate(site) ? (['regenerate'] as const) : []),
    'delete',
  ];
}

/** Whether a value can be replaced by itself. */
export function canRegenerate({ handle }: Pick<Site, 'handle'>): boolean {
  return handle.capabilities.regeneratePerSlot;
}

/** Makes one call of the contract; the arguments are ordinary ones. */
export async function callIt(
  site: Site,
  method: Method,
  options: { readonly id: string; readonly signal?: AbortSignal; readonly mark?: Mark },
): Promise<unknown> {
  const { store } = site;
  const { id, signal = GOING_ON, mark = freshMark() } = options;
  switch (method) {
    case 'login':
      return await store.login(signal);
    case 'create':
      return await store.create(wanted(site, mark), signal);
    case 'find':
      return await store.find(mark, signal);
    case 'list':
      return await store.list(signal);
    case 'read':
      return await store.read(id, signal);
    case 'update':
      return await store.update(id, { enabled: true, name: 'b', description: 'c' }, signal);
    case 'regenerate':
      return await store.regenerate(id, slotsOf(site)[0] ?? 'apiKey', signal);
    case 'delete':
      return await store.delete(id, signal);
  }
}
