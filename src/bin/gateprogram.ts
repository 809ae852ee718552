/** The part of the command line that runs gates. The action loads its code when it runs. */
import type { Command } from 'commander';
import type { Flags } from '../config/layers.ts';
import { GATE_SETTINGS } from '../config/settings.ts';
import { withSettings } from './flags.ts';
import { stopSignal } from './stopping.ts';

/** Adds `keyward gate`. */
export function addGate(root: Command): void {
  withSettings(root.command('gate'), GATE_SETTINGS)
    .description('answer gateways whether a presented key may pass')
    .action(async (flags: Flags) => {
      const { runGate } = await import('./gate.ts');
      await runGate(flags, stopSignal());
    });
}
