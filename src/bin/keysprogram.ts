/**
 * `keyward keys`: the ApiKeys of a cluster, as whoever calls sees them; with `--database` or
 * `--retained` what the ledger holds, as administrators see it; and what people decide about single keys.
 */
import type { Command } from 'commander';
import type { Flags } from '../config/layers.ts';
import { hosts, inSecret, vendorCa, withDatabase } from './flags.ts';
import { listing } from './peopleflags.ts';

/** Adds `keyward keys` and what belongs to it. */
export function addKeys(root: Command): void {
  const keys = withDatabase(listing(root.command('keys')))
    .description('keys, newest first; with --database or --config those of the ledger')
    .option('--client <name>', 'only keys on behalf of this client')
    .option('--retained', 'of the ledger: only keys that outlived their object')
    .action(async (flags: Flags) => {
      if (['database', 'config', 'retained'].every((flag) => flags[flag] === undefined)) {
        const { runClusterKeys } = await import('./lists.ts');
        await runClusterKeys(flags);
        return;
      }
      const { runKeys } = await import('./ledgercommands.ts');
      await runKeys(flags);
    });
  // They take the flags above as well, such as --database and --namespace.
  const below = (name: string): Command =>
    keys.command(name).configureHelp({ showGlobalOptions: true });
  below('revoke <uid>')
    .description('end a retained key for good; a running operator is asked to')
    .action(async (uid: string, _: unknown, command: Command) => {
      const { runRevoke } = await import('./ledgercommands.ts');
      await runRevoke(command.optsWithGlobals(), uid);
    });
  const derive = below('derive-gate [file]').description(
    "write the gate's key from the master key; - for standard output",
  );
  inSecret(derive, 'gate-key')
    .option('--master-key-file <file>', 'the master key file of the operator')
    .option('--master-key-secret <name>', 'or a Secret that has the master key')
    .option('--master-key-entry <name>', 'its entry (master-key)')
    .action(async (path: string | undefined, _: unknown, command: Command) => {
      const { runDeriveGate } = await import('./masterkeycommands.ts');
      await runDeriveGate(command.optsWithGlobals(), path);
    });
  below('resolve <namespace/name>')
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
