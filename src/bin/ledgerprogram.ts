/** The part of the command line that works on the database. Actions load their code when they run. */
import type { Command } from 'commander';
import type { Flags } from '../config/layers.ts';
import { DATABASE, hosts, inSecret, vendorCa, withDatabase } from './flags.ts';

/** Adds what works on the database: for administrators, on the operator's machine. */
export function addLedger(root: Command): void {
  root.commandsGroup('The database, for administrators:');
  addLedgerCommands(root);
  addImport(root);
  addDatabaseCommands(root);
}

function addLedgerCommands(root: Command): void {
  withDatabase(root.command('identify <->'))
    .description('say whose a leaked value is; reads it from standard input, never prints it')
    .option('--master-key-file <file>', 'the master key file of the operator')
    .action(async (source: string, flags: Flags) => {
      const { runIdentify } = await import('./ledgercommands.ts');
      await runIdentify(flags, source);
    });
  withDatabase(root.command('debts'))
    .description('credentials of keys that are gone which must still be ended at a vendor')
    .action(async (flags: Flags) => {
      const { runDebts } = await import('./ledgercommands.ts');
      await runDebts(flags);
    });
  const audit = root.command('audit').description('the audit chain');
  withDatabase(audit.command('list'))
    .description('who did what, newest first')
    .option('--limit <n>', 'entries, up to 100000 (50)')
    .option('--uid <uid>', 'only of the key, application, review or client of this UID')
    .option('-o, --output <form>', 'table, json or yaml (table)')
    .action(async (flags: Flags) => {
      const { runAuditList } = await import('./ledgercommands.ts');
      await runAuditList(flags);
    });
  withDatabase(audit.command('verify'))
    .description('walk the chain and say where it was broken')
    .action(async (flags: Flags) => {
      const { runAuditVerify } = await import('./ledgercommands.ts');
      await runAuditVerify(flags);
    });
  addMasterKey(root);
}

function addMasterKey(root: Command): void {
  const masterKey = root.command('master-key').description('the master key');
  const create = masterKey.command('create [file]').description('make a new one; never overwrites');
  wherever(create).action(async (path: string | undefined, flags: Flags) => {
    const { runMasterKeyCreate } = await import('./masterkeycommands.ts');
    await runMasterKeyCreate(flags, path);
  });
  const rotate = masterKey
    .command('rotate [file]')
    .description('add a version, under which new rows are written; those before stay');
  wherever(rotate).action(async (path: string | undefined, flags: Flags) => {
    const { runMasterKeyRotate } = await import('./masterkeycommands.ts');
    await runMasterKeyRotate(flags, path);
  });
}

/** A file, or a Secret of some cluster. */
function wherever(command: Command): Command {
  return inSecret(command, 'master-key')
    .option('-n, --namespace <name>', 'of the Secret (that of the context)')
    .option('--context <name>', 'context of the kubeconfig (the current one)')
    .option('--kubeconfig <file>', 'kubeconfig file (KUBECONFIG, else ~/.kube/config)');
}

function addImport(root: Command): void {
  withDatabase(root.command('import [-]'))
    .description(
      'give an ApiKey that waits for it a key that exists already: its values, from standard input (-), or one at a vendor (--store, --id)',
    )
    .option('--apikey <namespace/name>', 'made with annotation keyward.dev/import: pending')
    .option('--lines', 'with -: many keys, one JSON object on each line')
    .option('--dry-run', 'with -: check all of it and change nothing')
    .option('--allow-weak', 'with -: also values that may be guessed; the audit chain says so')
    .option('--store <kind/namespace/name>', 'KeyStore/NAMESPACE/NAME or ClusterKeyStore/NAME')
    .option('--id <id>', "the key's id at the vendor")
    .option('--master-key-file <file>', 'of the operator; with --id only where none runs on SQLite')
    .addOption(hosts())
    .addOption(vendorCa())
    .action(async (source: string | undefined, flags: Flags) => {
      if (source !== undefined) {
        const { runImportValues } = await import('./importcommands.ts');
        return runImportValues(flags, source);
      }
      const { runImport } = await import('./resolvecommands.ts');
      await runImport(flags);
    });
}

function addDatabaseCommands(root: Command): void {
  const commands = root.command('database').description('the database as a whole');
  commands
    .command('grants')
    .description(
      'print the SQL that gives a role in PostgreSQL what a gate needs, and nothing else',
    )
    .option('--role <name>', 'who the gate is for the database')
    .option('--schema <name>', 'as in the database URL (keyward)')
    .action(async (flags: Flags) => {
      const { runDatabaseGrants } = await import('./databasecommands.ts');
      await runDatabaseGrants(flags);
    });
  commands
    .command('copy')
    .description('copy all of it to an empty one, of the other engine too, and verify every row')
    .option('--from <url>', `${DATABASE}; its operator must be stopped`)
    .option('--to <url>', DATABASE)
    .action(async (flags: Flags) => {
      const { runDatabaseCopy } = await import('./databasecommands.ts');
      await runDatabaseCopy(flags);
    });
  withDatabase(commands.command('backup <file>'))
    .description(
      'write all of a SQLite database to a new file, - for standard output; all else goes on',
    )
    .action(async (file: string, flags: Flags) => {
      const { runDatabaseBackup } = await import('./backups.ts');
      await runDatabaseBackup(flags, file);
    });
  withDatabase(root.command('restore'))
    .description('mark a database that was restored from a backup, before its operator starts')
    .option('--from <file>', 'SQLite: put this backup there first, - for standard input')
    .option('--rebind', 'its cluster was rebuilt: show which grants go on in the new one')
    .option('--yes', 'with --rebind: do it')
    .option('-n, --namespace <name>', "with --rebind: the operator's namespace (keyward-system)")
    .option('--context <name>', 'with --rebind: context of the kubeconfig (the current one)')
    .option(
      '--kubeconfig <file>',
      'with --rebind: kubeconfig file (KUBECONFIG, else ~/.kube/config)',
    )
    .action(async (flags: Flags) => {
      if (flags.rebind === true) {
        const { runRebind } = await import('./rebinding.ts');
        return runRebind(flags);
      }
      const { runRestore } = await import('./databasecommands.ts');
      return runRestore(flags);
    });
}
