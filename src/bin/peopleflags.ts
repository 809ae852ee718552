/** Flags that all commands of people have in common. */
import type { Command } from 'commander';

/** Seconds that a bare `--wait` waits. */
const WAIT_SECONDS = 300;

/** Which cluster, as whom, and how to print. */
export function connecting(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace (that of the context)')
    .option('--context <name>', 'context of the kubeconfig (the current one)')
    .option('--kubeconfig <file>', 'kubeconfig file (KUBECONFIG, else ~/.kube/config)')
    .option('-o, --output <form>', 'table, wide, json, yaml or name (table)')
    .option('--color <when>', 'auto, always or never (auto; NO_COLOR is heeded)');
}

/** As `connecting`, for commands that list. */
export function listing(command: Command): Command {
  return connecting(command).option('-A, --all-namespaces', 'in all namespaces');
}

/** As `connecting`, for commands that write. */
export function writing(command: Command): Command {
  return connecting(command)
    .option('--dry-run <server>', 'server: the API server checks, nothing is changed')
    .option(
      '--wait <seconds>',
      `wait for the outcome; with seconds only as --wait=SECONDS; alone ${WAIT_SECONDS} s`,
    );
}

/** For flags that may be repeated. */
export function collect(more: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), more];
}

/** A bare `--wait` takes no value, so that the name behind it stays a name. */
export function withWait(argv: readonly string[]): string[] {
  return argv.map((word) => (word === '--wait' ? `--wait=${WAIT_SECONDS}` : word));
}
