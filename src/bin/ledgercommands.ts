/** Composition of the commands about what is in the ledger: identify, keys (and their revocation), debts, audit. */
import { refText } from '../api/meta.ts';
import { parseLimit, printAudit, readAudit } from '../cli/audit.ts';
import { listDebts } from '../cli/debts.ts';
import { usageError } from '../cli/exit.ts';
import { identify } from '../cli/identify.ts';
import { expectRetained, listKeys, revokeRetained } from '../cli/ledgerkeys.ts';
import { databaseConfig, ledgerConfig } from '../config/commands.ts';
import type { Flags } from '../config/layers.ts';
import { sleep, systemClock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import { openLedgerReader } from '../ledger/open.ts';
import { commandLineActor } from './actor.ts';
import { outputForm, printValue } from './printing.ts';
import { leaveRequest, openOrAsk } from './requests.ts';
import { loadKeyring } from './masterkey.ts';
import { readInput } from './stdin.ts';
import { output } from './streams.ts';

const STDIN_MAX = 4_096;

/** `keyward identify -` */
export async function runIdentify(flags: Flags, source: string): Promise<void> {
  if (source !== '-') {
    throw usageError('identify reads the value from standard input only: keyward identify -');
  }
  const config = await ledgerConfig(flags);
  const keyring = await loadKeyring(config.masterKeyFile);
  const input = await readInput(STDIN_MAX);
  const ledger = await openLedgerReader(config.database);
  try {
    await identify({ ledger, keyring, nowMs: systemClock.nowMs(), output }, input);
  } finally {
    input.erase();
    await ledger.close();
  }
}

/** `keyward keys [--retained]` */
export async function runKeys(flags: Flags): Promise<void> {
  const ledger = await openLedgerReader(await databaseConfig(flags));
  try {
    const nowMs = systemClock.nowMs();
    await listKeys(ledger, flags.retained === true ? 'Retained' : 'All', { output, nowMs });
  } finally {
    await ledger.close();
  }
}

/** `keyward debts` */
export async function runDebts(flags: Flags): Promise<void> {
  const ledger = await openLedgerReader(await databaseConfig(flags));
  try {
    await listDebts(ledger, output);
  } finally {
    await ledger.close();
  }
}

/** `keyward keys revoke UID` */
export async function runRevoke(flags: Flags, uid: string): Promise<void> {
  const database = await databaseConfig(flags);
  const actor = commandLineActor();
  const opened = await openOrAsk(database);
  if ('folder' in opened) return askToRevoke(opened.folder, database, uid, actor);
  const { ledger } = opened;
  try {
    await revokeRetained(ledger, uid, { actor, nowMs: systemClock.nowMs(), output });
  } finally {
    await ledger.close();
  }
}

/** The operator runs and alone may write: it is asked, and its answer is awaited in the ledger. */
async function askToRevoke(
  folder: string,
  database: string,
  uid: string,
  actor: string,
): Promise<void> {
  const ledger = await openLedgerReader(database);
  try {
    await expectRetained(ledger, uid);
    await leaveRequest(folder, { uid, verb: 'revoke', text: actor });
    for (let waitedMs = 0; waitedMs < ANSWER_MAX_MS; waitedMs += ANSWER_POLL_MS) {
      // Waiting is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      await sleep(systemClock, ANSWER_POLL_MS);
      // oxlint-disable-next-line no-await-in-loop
      const { record } = await ledger.load(uid, { namespace: '', name: '' });
      if (record?.phase === 'Ended') {
        output.note(`apikey ${refText(record)} revoked by the running operator\n`);
        return;
      }
    }
    throw usageError(
      'the operator has not answered yet; the request stays and is served when it leads',
    );
  } finally {
    await ledger.close();
  }
}

const ANSWER_MAX_MS = 15_000;
const ANSWER_POLL_MS = 200;

/** `keyward audit verify` */
export async function runAuditVerify(flags: Flags): Promise<void> {
  const ledger = await openLedgerReader(await databaseConfig(flags));
  try {
    const { entries, brokenAt } = await ledger.verifyAudit();
    if (brokenAt !== undefined) {
      throw new KeywardError('Terminal', {
        reason: 'AuditBroken',
        message: `the audit chain is broken at entry ${brokenAt} of ${entries}: somebody changed the database`,
      });
    }
    output.data(`${entries} entries, chain unbroken\n`);
  } finally {
    await ledger.close();
  }
}

/** `keyward audit list` */
export async function runAuditList(flags: Flags): Promise<void> {
  const form = outputForm(flags);
  if (form === 'name') throw usageError('-o name: entries of the audit chain have no names');
  const { uid } = flags;
  const limit = parseLimit(flags.limit);
  const ledger = await openLedgerReader(await databaseConfig(flags));
  try {
    const lines = await readAudit(ledger, { limit, ...(typeof uid === 'string' && { uid }) });
    if (form === 'json' || form === 'yaml') await printValue(lines, form);
    else printAudit(lines, output);
  } finally {
    await ledger.close();
  }
}
