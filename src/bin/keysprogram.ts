/** `keyward keys`: what the ledger holds, and what people decide about single keys. */
import type { Command } from 'commander';
import { DATABASE, hosts, vendorCa } from './flags.ts';

/** Adds `keyward keys` and what belongs to it. */
export function addKeys(root: Command): void {
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
}
