/** What a record of the ledger still has before it: such a plan has not converged. Pure. */
import type { CredentialRecord, KeyRecord } from '../../src/ledger/record.ts';
import { isPending } from '../../src/ledger/remote.ts';
import { parseMark } from '../../src/stores/mark.ts';
import { isOpen } from '../../src/ledger/transitions.ts';

/** Overlaps that end later than this are part of how things are. */
const SOON_MS = 10_000;

/** One text per thing that is half done; what waits for a person is not. */
export function unsettled(record: KeyRecord, nowMs: number): readonly string[] {
  const isEnding = record.phase === 'Ending' && !waitsForPerson(record);
  const found = record.credentials.map((credential) => whatIsOpen(credential, nowMs));
  const isUntold = record.credentials.some((credential) => isOnAtVendor(record, credential));
  return [
    ...(isEnding ? ['the key is ending'] : []),
    ...(isUntold ? ['the vendor was not told that the key is off'] : []),
    ...found,
  ]
    .filter((text) => text !== undefined)
    .map((text) => `${record.name}: ${text}`);
}

/** Ready says Suspended as soon as our own gate says no; the vendor follows when it answers. */
function isOnAtVendor({ state }: KeyRecord, { state: at, remote }: CredentialRecord): boolean {
  return (
    state === 'Suspended' && at === 'Active' && remote !== undefined && remote.enabled !== false
  );
}

/** Ready goes before the names, which the vendor gets when it answers; only NAVER has tenants and names. */
function isMarked({ remote }: CredentialRecord): boolean {
  if (remote === undefined || !('tenantId' in remote.facts)) return false;
  return remote.name === undefined || parseMark(remote.description ?? '') !== undefined;
}

/** A creation whose outcome only a person can tell. */
export function waitsForPerson({ credentials }: KeyRecord): boolean {
  return credentials.some(isUndecidable);
}

/** Stopped, or doomed without it being known what to end. */
function isUndecidable({ state, remote }: CredentialRecord): boolean {
  if (state === 'Ambiguous') return true;
  return state === 'Disabled' && remote?.id === undefined && remote?.candidates !== undefined;
}

function whatIsOpen(credential: CredentialRecord, nowMs: number): string | undefined {
  if (isUndecidable(credential)) return undefined;
  if (isOpen(credential)) return 'values are not in the Secret';
  if (isPending(credential)) return `a call is open (${credential.state})`;
  if (credential.state === 'Disabled') return 'a credential is to end';
  if (isMarked(credential)) return 'the vendor has the mark in place of the name';
  const instants = [credential.retireAtMs, ...credential.slots.map((slot) => slot.retireAtMs)];
  return instants.some((atMs) => atMs !== undefined && atMs < nowMs + SOON_MS)
    ? 'values are about to retire'
    : undefined;
}
