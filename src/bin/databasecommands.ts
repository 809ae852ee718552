/** Composition of the commands that are about a whole database: copy, grants and restore. */
import { usageError } from '../cli/exit.ts';
import { databaseConfig } from '../config/commands.ts';
import type { Flags } from '../config/layers.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { copyArchive } from '../ledger/copy.ts';
import { openArchive } from '../ledger/open.ts';
import { gateGrants } from '../ledger/postgres/grants.ts';
import { markRestored } from '../ledger/restore.ts';
import { commandLineActor } from './actor.ts';
import { putBack } from './backups.ts';
import { output } from './streams.ts';

const INCARNATION_BYTES = 16;

/** `keyward database copy --from URL --to URL` */
export async function runDatabaseCopy(flags: Flags): Promise<void> {
  const { from, to } = flags;
  if (typeof from !== 'string' || typeof to !== 'string') {
    throw usageError('a copy needs both databases: keyward database copy --from URL --to URL');
  }
  const source = await openArchive(from, 'Look');
  try {
    const target = await openArchive(to, 'Fill');
    try {
      const { rows, tables } = await copyArchive(source, target);
      for (const table of tables) output.data(`${table.name}: ${table.rows} rows, verified\n`);
      output.note(
        `copied ${rows} rows to ${target.label}; start the operator there, and keep ${source.label} away from it\n`,
      );
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** `keyward database grants --role NAME [--schema NAME]`; opens no database. */
export async function runDatabaseGrants(flags: Flags): Promise<void> {
  const { role, schema = 'keyward' } = flags;
  if (typeof role !== 'string' || role === '' || typeof schema !== 'string') {
    throw usageError('grants are for a role: keyward database grants --role NAME');
  }
  output.data(gateGrants({ schema, role }));
}

/** `keyward restore [--from FILE]` */
export async function runRestore(flags: Flags): Promise<void> {
  if (typeof flags['from'] === 'string') await putBack(flags, flags['from']);
  const database = await databaseConfig(flags);
  const archive = await openArchive(database, 'Change');
  try {
    const { commitCounter } = await markRestored(archive, {
      actor: commandLineActor(),
      atMs: systemClock.nowMs(),
      incarnation: systemEntropy(INCARNATION_BYTES).toString('hex'),
    });
    output.note(
      `${archive.label} is marked as restored at commit ${commitCounter}; the operator accepts it now\n`,
    );
  } finally {
    await archive.close();
  }
}
