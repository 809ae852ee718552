/** The part of the command line that runs gates. The action loads its code when it runs. */
import type { Command } from 'commander';
import { DATABASE } from './flags.ts';
import { stopSignal } from './stopping.ts';

/** Adds `keyward gate`. */
export function addGate(root: Command): void {
  root
    .command('gate')
    .description('answer gateways whether a presented key may pass')
    .option('--database <url>', DATABASE)
    .option('--gate-key-file <file>', 'what keyward keys derive-gate wrote')
    .option('--http-address <host:port>', 'for gateways and applications (127.0.0.1:8180)')
    .option('--http-parser <fast|node>', 'who reads plain requests of gateways (fast)')
    .option('--grpc-address <host:port>', 'for Envoy, gRPC; absent: not served')
    .option('--metrics-address <host:port>', 'for /metrics, /livez, /readyz (127.0.0.1:8081)')
    .option('--key-headers <names>', 'headers that hold a key, beside Authorization (X-API-Key)')
    .option('--key-query <name>', 'a query parameter that may hold a key; absent: none')
    .option('--product-header <name>', 'header in which routes of the gateway name the product')
    .option('--unlisted <allow|deny>', 'calls that belong to no product (deny)')
    .option('--trusted-proxies <networks>', 'whose X-Forwarded-For is believed; comma-separated')
    .option('--max-staleness-seconds <n>', 'deny when the database was not seen for so long (15)')
    .option('--replicas <n>', 'gates on this database, about; sizes leases of quotas (3)')
    .option('--cache-records <n>', 'credentials whose records are kept in memory (50000)')
    .option('--php-dates', "accept signature dates of SOLAPI's PHP client, which writes local time")
    .option('--tls-cert <file>', 'certificate chain in PEM, reloaded when it changes')
    .option('--tls-key <file>', 'its private key')
    .option('--tls-client-ca <file>', 'demand client certificates that these sign')
    .option('--log-level <level>', 'debug, info, warn, error, silent (info)')
    .action(async (flags: Record<string, unknown>) => {
      const { runGate } = await import('./gate.ts');
      await runGate(flags, stopSignal());
    });
}
