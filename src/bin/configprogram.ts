/** The part of the command line that shows settings. The action loads its code when it runs. */
import type { Command } from 'commander';
import type { Flags } from '../config/layers.ts';
import { SETTINGS, type Program } from '../config/settings.ts';
import { withSettings } from './flags.ts';

/** Adds `keyward config print [operator|gate]`, which takes every flag of that server. */
export function addConfig(root: Command): void {
  const print = root
    .command('config')
    .description('settings of the servers')
    .command('print')
    .description('what would be in force, and where each value comes from; passwords are masked');
  const programs: readonly Program[] = ['operator', 'gate'];
  for (const program of programs) {
    const command = print.command(program, { isDefault: program === 'operator' });
    withSettings(command, SETTINGS[program])
      .description(`settings of keyward ${program}`)
      .option('-o, --output <form>', 'yaml or json (yaml, as --config takes it)')
      .action(async (flags: Flags) => {
        const { runConfigPrint } = await import('./configprinting.ts');
        await runConfigPrint(program, flags);
      });
  }
}
