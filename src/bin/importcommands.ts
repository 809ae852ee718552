/** Composition of `keyward import -`: values from standard input, for one key or for many. */
import { createInterface } from 'node:readline';
import { usageError } from '../cli/exit.ts';
import type { Brought } from '../controllers/apikey/imports.ts';
import { ledgerConfig } from '../config/commands.ts';
import type { Flags } from '../config/layers.ts';
import { KeywardError } from '../kernel/errors.ts';
import { commandLineActor } from './actor.ts';
import { openImportSite } from './importsite.ts';
import { importLines, type Told } from './importmany.ts';
import { INPUT_MAX, readTexts } from './importlines.ts';
import { loadKeyring } from './masterkey.ts';
import { findByName, parseName } from './resolving.ts';
import { readInput } from './stdin.ts';
import { output } from './streams.ts';

/** `keyward import - (--apikey NAMESPACE/NAME | --lines) [--dry-run] [--allow-weak]` */
export async function runImportValues(flags: Flags, source: string): Promise<void> {
  const { apikey, lines, store, id } = flags;
  if (source !== '-') {
    throw usageError(
      'values are read from standard input only, never from arguments: keyward import -',
    );
  }
  if (store !== undefined || id !== undefined) {
    throw usageError(
      '--store and --id name a key at a vendor, which shows its values itself: without -',
    );
  }
  if ((typeof apikey === 'string') === (lines === true)) {
    throw usageError('either --apikey NAMESPACE/NAME, for one key, or --lines, for many');
  }
  const config = await ledgerConfig(flags);
  const keyring = await loadKeyring(config.masterKeyFile);
  const strength = flags['allowWeak'] === true ? 'Any' : 'Strong';
  const actor = commandLineActor();
  const site = await openImportSite({
    database: config.database,
    keyring,
    isDry: flags['dryRun'] === true,
  });
  try {
    if (typeof apikey === 'string') {
      const record = await findByName(site.ledger, parseName(apikey));
      const answer = await site.take(record, { texts: await readOne(), strength, actor });
      output.note(`${answer}\n`);
      return;
    }
    const input = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
    tellEnd(await importLines({ ...site, keyring }, input, { strength, actor, tell }));
  } finally {
    await site.close();
  }
}

async function readOne(): Promise<Brought['texts']> {
  const input = await readInput(INPUT_MAX);
  try {
    return readTexts(input);
  } finally {
    input.erase();
  }
}

function tell({ line, of, text }: Told): void {
  output.data(`${line}\t${of ?? '-'}\t${text}\n`);
}

/** A script has to notice what was refused. */
function tellEnd(refused: number): void {
  if (refused === 0) return;
  throw new KeywardError('Terminal', {
    reason: 'LinesRefused',
    message: `${refused} lines were refused; the others are done, and the whole input may be given again`,
  });
}
