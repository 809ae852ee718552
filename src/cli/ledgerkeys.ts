/** `keyward keys`: what the ledger holds, and the end of keys whose objects are gone. */
import { refText } from '../api/meta.ts';
import { KeywardError } from '../kernel/errors.ts';
import { formatTime } from '../kernel/time.ts';
import type { UseReads } from '../ledger/gate.ts';
import type { Ledger } from '../ledger/port.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { close, end } from '../ledger/transitions.ts';
import { agoText } from './ages.ts';
import { table, type Output } from './output.ts';
import { leftText, readUses, type LiveUses } from './uses.ts';

const PAGE = 500;
const TITLES = 'NAMESPACE,NAME,KEY,STATE,PHASE,EXPIRES,USES,LAST USE,LEFT,UID'.split(',');

/** Prints the keys with their uses; retained ones only when `which` says so. */
export async function listKeys(
  ledger: Pick<Ledger, 'scan'> & UseReads,
  which: 'All' | 'Retained',
  { output, nowMs }: { readonly output: Output; readonly nowMs: number },
): Promise<void> {
  const rows: string[][] = [];
  let after: string | undefined;
  do {
    const page = await ledger.scan(PAGE, after);
    const shown = page.records.filter(({ phase }) => which === 'All' || phase === 'Retained');
    // Page by page, so that the database is never asked for everything at once.
    // oxlint-disable-next-line no-await-in-loop
    const uses = await readUses(ledger, shown, nowMs);
    rows.push(...shown.map((record) => row(record, uses.get(record.uid), nowMs)));
    after = page.next;
  } while (after !== undefined);
  if (rows.length === 0) {
    output.note(which === 'Retained' ? 'no retained keys\n' : 'no keys\n');
    return;
  }
  output.data(table(TITLES, rows));
}

/**
 * Ends a retained key: its values are dead when this returns. May be repeated.
 * @throws KeywardError Terminal NotRetained: keys with an object are ended through it
 */
export async function revokeRetained(
  ledger: Pick<Ledger, 'load' | 'commit' | 'identity'>,
  uid: string,
  context: { readonly actor: string; readonly nowMs: number; readonly output: Output },
): Promise<void> {
  const record = await expectRetained(ledger, uid);
  const { epoch } = await ledger.identity();
  const result = await ledger.commit({
    record: close(end(record, context.nowMs)),
    expectedRevision: record.revision,
    epoch,
    audit: {
      action: 'KeyEnded',
      actor: context.actor,
      atMs: context.nowMs,
      facts: { because: 'Command' },
    },
  });
  if (result.type !== 'Committed') {
    throw new KeywardError('Conflict', {
      reason: result.type,
      message: 'the key changed meanwhile; run the command again',
    });
  }
  context.output.note(`apikey ${refText(record)} revoked\n`);
}

/**
 * The retained key of this UID.
 * @throws KeywardError Terminal NotRetained: keys with an object are ended through it
 */
export async function expectRetained(
  ledger: Pick<Ledger, 'load'>,
  uid: string,
): Promise<KeyRecord> {
  const { record } = await ledger.load(uid, { namespace: '', name: '' });
  if (record?.phase !== 'Retained') {
    throw new KeywardError('Terminal', {
      reason: 'NotRetained',
      message:
        record === undefined
          ? `the ledger knows no key with UID '${uid}'`
          : `ApiKey ${refText(record)} is not retained; delete the object, or set spec.state to Revoked`,
    });
  }
  return record;
}

function row(record: KeyRecord, uses: LiveUses | undefined, nowMs: number): string[] {
  const { endMs } = record.terms;
  const { total = 0, lastUsedMs, left } = uses ?? {};
  return [
    record.namespace,
    record.name,
    record.credentials.at(-1)?.keyId ?? '<none>',
    record.state,
    record.phase,
    endMs === undefined ? '<never>' : formatTime(endMs),
    `${total}`,
    lastUsedMs === undefined ? '<never>' : agoText(formatTime(lastUsedMs), nowMs),
    leftText(left),
    record.uid,
  ];
}
