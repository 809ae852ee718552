/** What every command of people starts with: the way to the API server as themselves, and where to print. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { usageError } from '../cli/exit.ts';
import { coloured, plain, type Output, type Paint } from '../cli/output.ts';
import { visible } from '../cli/visible.ts';
import type { Flags } from '../config/layers.ts';
import { personConfig, type PersonConfig } from '../config/person.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { AccessOptions } from '../kube/auth.ts';
import { createPersonClient, type PersonClient, type Writing } from '../kube/person.ts';
import { outputForm, type OutputForm } from './printing.ts';
import { output } from './streams.ts';
import { VERSION } from './version.ts';

/** One command's way to the API server and to its caller. */
export type Session = {
  readonly client: PersonClient;
  /** Where objects without another namespace are. */
  readonly namespace: string;
  /** What `-A` and `-n` said: all namespaces only when nobody named one. */
  readonly scope: 'Named' | 'Unsaid' | 'All';
  readonly form: OutputForm;
  readonly writing: Writing;
  readonly output: Output;
  readonly paint: Paint;
  readonly nowMs: number;
};

/** Runs one command and closes its connections. @throws KeywardError as the command does */
export async function withSession(
  flags: Flags,
  act: (session: Session) => Promise<void>,
): Promise<void> {
  const form = outputForm(flags);
  const config = personConfig(flags, homedir());
  const { Transport } = await import('../kube/transport.ts');
  const { openAccess } = await import('../kube/auth.ts');
  const { source, namespace } = await findServer(config);
  const access = await openAccess({ clock: systemClock, log: quiet, source });
  const transport = new Transport({ access, clock: systemClock, version: VERSION });
  try {
    await act({
      client: createPersonClient(transport, systemClock),
      namespace: config.namespace ?? namespace,
      scope:
        flags['allNamespaces'] === true
          ? 'All'
          : config.namespace === undefined
            ? 'Unsaid'
            : 'Named',
      form,
      writing: writingOf(flags),
      output,
      paint: paintOf(config),
      nowMs: systemClock.nowMs(),
    });
  } finally {
    transport.close();
  }
}

type Found = { readonly source: AccessOptions['source']; readonly namespace: string };

async function findServer(config: PersonConfig): Promise<Found> {
  const { kubeconfigs, context: wanted, inClusterHost, inClusterPort } = config;
  if (kubeconfigs.length === 0) {
    const source = { kind: 'InCluster', host: inClusterHost ?? '', port: inClusterPort } as const;
    return { source, namespace: podNamespace() };
  }
  const { readKubeconfigs } = await import('../kube/kubeconfigs.ts');
  const { parseKubeconfig } = await import('../kube/kubeconfig.ts');
  const text = await readKubeconfigs(kubeconfigs);
  const context = parseKubeconfig(text.text, text.file, wanted);
  if (context.skipVerification) {
    output.note(`warning: context ${visible(context.name)} does not verify the API server\n`);
  }
  const { namespace = 'default' } = context;
  return { source: { kind: 'Context', context, config: text }, namespace };
}

const POD_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

function podNamespace(): string {
  try {
    return readFileSync(POD_NAMESPACE, 'utf8').trim();
  } catch {
    return 'default';
  }
}

function writingOf(flags: Flags): Writing {
  const { dryRun = 'none' } = flags;
  if (dryRun === 'none') return 'Carry out';
  if (dryRun === 'server') return 'Only check';
  throw usageError(`--dry-run takes server or none, not '${String(dryRun)}'`);
}

/** Colours on a terminal only, unless they were asked for. */
function paintOf({ colour }: PersonConfig): Paint {
  const isWanted = colour === 'always' || (colour === 'auto' && process.stdout.isTTY);
  return isWanted ? coloured : plain;
}

/** Nothing but credentials that could not be renewed is ever logged here. */
const warn: Logger['warn'] = (message, facts) => {
  output.note(`${message}: ${visible(JSON.stringify(facts ?? {}))}\n`);
};
const silent = (): void => undefined;
const quiet: Logger = { debug: silent, info: silent, error: silent, warn, with: () => quiet };
