/** Composition of `keyward database backup`, and of `keyward restore --from`: a SQLite ledger as one stream of bytes. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { usageError } from '../cli/exit.ts';
import { databaseConfig } from '../config/commands.ts';
import type { Flags } from '../config/layers.ts';
import { systemClock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import { systemCode } from '../kernel/files.ts';
import { backUpLedger, openLedgerBackup, putBackLedger } from '../ledger/open.ts';
import { output } from './streams.ts';

/** `keyward database backup FILE`; `-`: to standard output, which is all that a pod without a shell has. */
export async function runDatabaseBackup(flags: Flags, to: string): Promise<void> {
  const database = await databaseConfig(flags);
  if (to !== '-') {
    await backUpLedger(database, to);
    output.note(`wrote ${to}; it is of no use without the master key\n`);
    return;
  }
  if (process.stdout.isTTY) {
    throw usageError('a backup is no text; send it somewhere: keyward database backup - > FILE');
  }
  // The file has no name: whoever ends this process would leave a whole copy beside the database.
  const copy = createReadStream('', { fd: await openLedgerBackup(database) });
  await pipeline(copy, process.stdout).catch(unread);
}

/** What was read so far is no backup. */
function unread(cause: unknown): never {
  throw new KeywardError('Terminal', {
    reason: 'OutputFailed',
    message: `the backup could not be written to its end (${systemCode(cause) ?? 'unknown'}); what is there of it is no backup`,
    cause,
  });
}

/** Puts the file, or standard input for `-`, in the place of the database. */
export async function putBack(flags: Flags, from: string): Promise<void> {
  const database = await databaseConfig(flags);
  if (from === '-' && process.stdin.isTTY) {
    throw usageError(
      'a backup is read from a file or from standard input: keyward restore --from - < FILE',
    );
  }
  const copy = from === '-' ? process.stdin : await openCopy(from);
  const at = new Date(systemClock.nowMs()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const before = await putBackLedger(database, { copy, at });
  if (before !== undefined) output.note(`what was there is kept as ${before}\n`);
}

/** Before anything is locked or written: of what follows a mistake in the name would look like trouble of ours. */
async function openCopy(from: string): Promise<AsyncIterable<Buffer>> {
  try {
    return (await open(from)).createReadStream();
  } catch (cause) {
    throw usageError(`the backup '${from}' cannot be read (${systemCode(cause) ?? 'unknown'})`);
  }
}
