/** The part of the command line that runs servers. Actions load their code when they run. */
import type { Command } from 'commander';
import type { Flags } from '../config/layers.ts';
import { OPERATOR_SETTINGS } from '../config/settings.ts';
import { withSettings } from './flags.ts';
import { stopSignal } from './stopping.ts';

/** Adds `keyward operator`. */
export function addOperator(root: Command): void {
  root.commandsGroup('Servers:');
  withSettings(root.command('operator'), OPERATOR_SETTINGS)
    .description('run the controllers: the only writer of credentials')
    .action(async (flags: Flags) => {
      const { runOperator } = await import('./operator.ts');
      await runOperator(flags, stopSignal());
    });
}
