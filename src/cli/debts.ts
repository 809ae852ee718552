/** `keyward debts`: credentials that must still be ended at a vendor, whose keys are gone. */
import { formatTime } from '../kernel/time.ts';
import type { Ledger } from '../ledger/port.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { isRemote, type RemoteCredentialRecord } from '../ledger/remote.ts';
import { table, type Output } from './output.ts';

const PAGE = 500;
const TITLES = ['NAMESPACE', 'NAME', 'STORE', 'VENDOR-ID', 'SINCE', 'REASON'];

type Debt = { readonly record: KeyRecord; readonly credential: RemoteCredentialRecord };

/** Prints a line for each; the reason is the last one that was met in the same store. */
export async function listDebts(ledger: Pick<Ledger, 'debts'>, output: Output): Promise<void> {
  const debts: Debt[] = [];
  let after: string | undefined;
  do {
    // oxlint-disable-next-line no-await-in-loop
    const page = await ledger.debts(PAGE, after);
    for (const record of page.records) debts.push(...debtsOf(record));
    after = page.next;
  } while (after !== undefined);
  if (debts.length === 0) {
    output.note('no debts\n');
    return;
  }
  const reasons = reasonsOf(debts);
  const rows = debts.map((debt) => row(debt, reasons.get(debt.record.store.uid)));
  output.data(table(TITLES, rows));
}

function debtsOf(record: KeyRecord): readonly Debt[] {
  return record.credentials
    .filter(isRemote)
    .filter(({ state }) => state === 'Disabled')
    .map((credential) => ({ record, credential }));
}

/** Reasons that are about one debt alone. */
const OWN_REASONS: ReadonlySet<string> = new Set(['Ambiguous', 'Unsettled']);

/** By store UID. What stops one debt mostly stops all, and is written down once. */
function reasonsOf(debts: readonly Debt[]): ReadonlyMap<string, string> {
  const newest = new Map<string, { readonly reason: string; readonly sinceMs: number }>();
  for (const { record, credential } of debts) {
    const { endTrouble } = credential.remote;
    if (endTrouble === undefined || OWN_REASONS.has(endTrouble.reason)) continue;
    const known = newest.get(record.store.uid);
    if (known === undefined || known.sinceMs < endTrouble.sinceMs)
      newest.set(record.store.uid, endTrouble);
  }
  return new Map([...newest].map(([uid, { reason }]) => [uid, reason]));
}

function row({ record, credential }: Debt, reason: string | undefined): string[] {
  const { store, namespace, name } = record;
  const { id, doomedAtMs, endTrouble } = credential.remote;
  const place = store.kind === 'KeyStore' ? `${namespace}/` : '';
  return [
    namespace,
    name,
    `${store.kind}/${place}${store.name}`,
    id ?? '<unknown>',
    doomedAtMs === undefined ? '<unknown>' : formatTime(doomedAtMs),
    endTrouble?.reason ?? reason ?? '<none yet>',
  ];
}
