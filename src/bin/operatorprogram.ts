/** The part of the command line that runs servers. Actions load their code when they run. */
import type { Command } from 'commander';
import { DATABASE, hidden, hosts, vendorCa } from './flags.ts';
import { stopSignal } from './stopping.ts';

/** Adds `keyward operator`. */
export function addOperator(root: Command): void {
  root.commandsGroup('Servers:');
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
    .option('--webhook-url <url>', 'told what happens to applications; see docs/webhook.md')
    .option('--webhook-secret-file <file>', 'whsec_<base64>, one a line: signs what is sent there')
    .option('--log-level <level>', 'debug, info, warn, error, silent (info)')
    .addOption(hidden('--remote-check-seconds <n>'))
    .addOption(hidden('--store-reread-seconds <n>'))
    .addOption(hidden('--quota-reread-seconds <n>'))
    .addOption(hidden('--debt-after-seconds <n>'))
    .addOption(hidden('--crash-at-commit <n:position>'))
    .action(async (flags: Record<string, unknown>) => {
      const { runOperator } = await import('./operator.ts');
      await runOperator(flags, stopSignal());
    });
}
