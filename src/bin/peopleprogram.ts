/** The part of the command line with which people apply, decide and look. Actions load their code when they run. */
import type { Command } from 'commander';

/** Adds the commands that act on a cluster as whoever calls them. */
export function addPeople(root: Command): void {
  root.commandsGroup('Anybody:');
  root
    .command('explain [reason]')
    .description('say what a reason in a status or an event means; asks no server')
    .option('-o, --output <table|json|yaml|name>', 'form of the answer (table)')
    .action(async (reason: string | undefined, flags: Record<string, unknown>) => {
      const { runExplain } = await import('./explaining.ts');
      await runExplain(flags, reason);
    });
}
