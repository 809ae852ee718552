/** What the ledger of a plan holds, read beside its operator. */
import type { AuditLine } from '../../src/ledger/port.ts';
import type { FormRecord } from '../../src/ledger/form.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';

/** More than any plan has. */
const ALL = 1_000;

/** Keys, and what those that ended still owe. */
export async function allRecords(ledger: LedgerReader): Promise<readonly KeyRecord[]> {
  const keys = await ledger.scan(ALL);
  const debts = await ledger.debts(ALL);
  return [...keys.records, ...debts.records];
}

/** The whole audit chain, oldest first. */
export async function allLines(ledger: LedgerReader): Promise<readonly AuditLine[]> {
  return await ledger.auditLines({ limit: ALL, after: 0 });
}

/** All forms that were ever seen, those that ended too. */
export async function allForms(ledger: LedgerReader): Promise<readonly FormRecord[]> {
  const lines = await allLines(ledger);
  const seen = new Set(lines.filter(({ action }) => action === 'FormSeen').map(({ uid }) => uid));
  const forms = await Promise.all([...seen].map((uid) => ledger.loadDocument('Form', uid)));
  return forms.filter((form) => form !== undefined);
}
