/** The command line: `keyward`, also `kubectl keyward`. Commands are loaded when they are used. */
import { Command, CommanderError, Option } from 'commander';
import { classify, type KeywardError } from '../kernel/errors.ts';

/** Exit codes: 0 done, 1 failed, 2 usage. */
const FAILED = 1;
const USAGE = 2;

const DATABASE = 'sqlite:///path/to/keyward.db or postgres://user@host/database';

function program(): Command {
  const root = new Command('keyward')
    .description('API keys as Kubernetes resources')
    .showHelpAfterError()
    .exitOverride();
  addOperator(root);
  addLedgerCommands(root);
  addKeysCommands(root);
  addDatabaseCommands(root);
  return root;
}

function addOperator(root: Command): void {
  root
    .command('operator')
    .description('run the controllers: the only writer of credentials')
    .option('--kubeconfig <file>', 'kubeconfig file; absent: the service account of the pod')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--database <url>', DATABASE)
    .option(
      '--master-key-file <file>',
      'one key a line, v<N>:<32 bytes in base64>; the newest N is used',
    )
    .option('--create-master-key', 'make the master key file if there is none (trials)')
    .option('--namespace <name>', 'namespace of the operator itself (keyward-system)')
    .option('--watch-namespaces <names>', 'comma-separated; absent: all namespaces')
    .option('--metrics-address <host:port>', 'for /metrics, /livez, /readyz (127.0.0.1:8080)')
    .option('--leader-elect <true|false>', 'elect one active replica by Lease (true)')
    .option('--identity <name>', 'holder name in the Lease (host name)')
    .option('--secret-watch <metadata|none>', 'how Secrets are followed (metadata)')
    .addOption(hosts())
    .addOption(vendorCa())
    .option('--accept-vanished', 'end vanished keys however many they are')
    .option('--accept-database', 'start on another or older database than the one last used')
    .option('--workers <n>', 'reconciles at the same time (64)')
    .option('--loss-grace-seconds <n>', 'before a missing Secret counts as lost (30)')
    .option('--log-level <level>', 'debug, info, warn, error, silent (info)')
    .addOption(hidden('--remote-check-seconds <n>'))
    .addOption(hidden('--store-reread-seconds <n>'))
    .addOption(hidden('--debt-after-seconds <n>'))
    .addOption(hidden('--crash-at-commit <n:position>'))
    .action(async (flags: Record<string, unknown>) => {
      const { runOperator } = await import('./operator.ts');
      await runOperator(flags, stopSignal());
    });
}

function addLedgerCommands(root: Command): void {
  const database = ['--database <url>', DATABASE] as const;
  root
    .command('identify <->')
    .description('say whose a leaked value is; reads it from standard input, never prints it')
    .option(...database)
    .option('--master-key-file <file>', 'the master key file of the operator')
    .action(async (source: string, flags: Record<string, unknown>) => {
      const { runIdentify } = await import('./ledgercommands.ts');
      await runIdentify(flags, source);
    });
  root
    .command('debts')
    .description('credentials of keys that are gone which must still be ended at a vendor')
    .option(...database)
    .action(async (flags: Record<string, unknown>) => {
      const { runDebts } = await import('./ledgercommands.ts');
      await runDebts(flags);
    });
  root
    .command('audit')
    .description('the audit chain')
    .command('verify')
    .description('walk the chain and say where it was broken')
    .option(...database)
    .action(async (flags: Record<string, unknown>) => {
      const { runAuditVerify } = await import('./ledgercommands.ts');
      await runAuditVerify(flags);
    });
  root
    .command('master-key')
    .description('the master key file')
    .command('create <file>')
    .description('make a new one; never overwrites')
    .action(async (path: string) => {
      const { runMasterKeyCreate } = await import('./ledgercommands.ts');
      await runMasterKeyCreate(path);
    });
}

function addKeysCommands(root: Command): void {
  const database = ['--database <url>', DATABASE] as const;
  const keys = root.command('keys').description('what the ledger holds');
  keys
    .option(...database)
    .option('--retained', 'only keys that outlived their object')
    .action(async (flags: Record<string, unknown>) => {
      const { runKeys } = await import('./ledgercommands.ts');
      await runKeys(flags);
    });
  keys
    .command('revoke <uid>')
    .description('end a retained key for good; a running operator is asked to')
    .action(async (uid: string, _: unknown, command: Command) => {
      const { runRevoke } = await import('./ledgercommands.ts');
      await runRevoke(command.optsWithGlobals(), uid);
    });
  keys
    .command('resolve <namespace/name>')
    .description('decide what Keyward cannot know: which key at the vendor an ApiKey has')
    .option('--adopt <id>', 'it is the vendor key with this id; its values are read')
    .option('--none', 'no key at the vendor is it; a new one is made')
    .option('--master-key-file <file>', 'without a running operator, or on PostgreSQL')
    .addOption(hosts())
    .addOption(vendorCa())
    .action(async (name: string, _: unknown, command: Command) => {
      const { runResolve } = await import('./resolvecommands.ts');
      await runResolve(command.optsWithGlobals(), name);
    });
  root
    .command('import')
    .description('give an ApiKey that waits for it a key that exists at the vendor already')
    .option('--store <kind/namespace/name>', 'KeyStore/NAMESPACE/NAME or ClusterKeyStore/NAME')
    .option('--id <id>', "the key's id at the vendor")
    .option('--apikey <namespace/name>', 'made with annotation keyward.dev/import: pending')
    .option(...database)
    .option('--master-key-file <file>', 'without a running operator, or on PostgreSQL')
    .addOption(hosts())
    .addOption(vendorCa())
    .action(async (flags: Record<string, unknown>) => {
      const { runImport } = await import('./resolvecommands.ts');
      await runImport(flags);
    });
}

function addDatabaseCommands(root: Command): void {
  root
    .command('database')
    .description('the database as a whole')
    .command('copy')
    .description('copy all of it to an empty one, of the other engine too, and verify every row')
    .option('--from <url>', `${DATABASE}; its operator must be stopped`)
    .option('--to <url>', DATABASE)
    .action(async (flags: Record<string, unknown>) => {
      const { runDatabaseCopy } = await import('./databasecommands.ts');
      await runDatabaseCopy(flags);
    });
  root
    .command('restore')
    .description('mark a database that was restored from a backup, before its operator starts')
    .option('--database <url>', DATABASE)
    .action(async (flags: Record<string, unknown>) => {
      const { runRestore } = await import('./databasecommands.ts');
      await runRestore(flags);
    });
}

function hosts(): Option {
  return new Option(
    '--endpoint-hosts <Type=host[:port]>',
    'hosts that key stores of a type may be reached at; repeatable (those of the driver)',
  ).argParser((more: string, before: string | undefined) =>
    before === undefined ? more : `${before},${more}`,
  );
}

function vendorCa(): Option {
  return new Option(
    '--vendor-ca-file <file>',
    'certificates to trust at vendors beside public ones',
  );
}

function hidden(flags: string): Option {
  return new Option(flags).hideHelp();
}

/** Aborted by the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(FAILED);
    controller.abort(new Error('told to stop'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

async function main(): Promise<void> {
  try {
    await program().parseAsync(process.argv);
    process.exitCode = 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? 0 : USAGE;
      return;
    }
    fail(classify(thrown));
  }
}

/** One sentence for people; the stack only where it is our fault. */
function fail(error: KeywardError): void {
  process.stderr.write(`keyward: ${error.message}\n`);
  if (error.class === 'Bug' && error.cause instanceof Error) {
    process.stderr.write(`${error.cause.stack ?? ''}\n`);
  }
  // At once: after a lost leadership nothing may be written any more, not even by what still runs.
  process.exit(FAILED);
}

await main();
