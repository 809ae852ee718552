/** Settings of commands that people call: as kubectl finds them. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { KeywardError } from '../kernel/errors.ts';
import { inCluster } from './cluster.ts';
import { environment } from './environment.ts';
import type { Flags } from './layers.ts';

/** How a command that people call finds the API server, and how it prints. */
export type PersonConfig = {
  /** Read as one; empty: the service account of the pod. */
  readonly kubeconfigs: readonly string[];
  readonly context: string | undefined;
  /** Absent: that of the context. */
  readonly namespace: string | undefined;
  readonly inClusterHost: string | undefined;
  readonly inClusterPort: number;
  readonly colour: 'auto' | 'always' | 'never';
};

/** None of KEYWARD_*, which speak of the operator. @throws KeywardError Terminal Usage */
export function personConfig(flags: Flags, home: string): PersonConfig {
  const { color = 'auto' } = flags;
  const colours = ['auto', 'always', 'never'] as const;
  const colour = colours.find((known) => known === color);
  if (colour === undefined) {
    throw new KeywardError('Terminal', {
      reason: 'Usage',
      message: `--color takes ${colours.join(', ')}, not '${String(color)}'`,
    });
  }
  const { NO_COLOR = '' } = environment();
  return {
    kubeconfigs: kubeconfigs(text(flags['kubeconfig']), home),
    context: text(flags['context']),
    namespace: text(flags['namespace']),
    ...inCluster(),
    colour: colour === 'auto' && NO_COLOR !== '' ? 'never' : colour,
  };
}

function kubeconfigs(flag: string | undefined, home: string): readonly string[] {
  if (flag !== undefined) return [flag];
  const { KUBECONFIG = '', KUBERNETES_SERVICE_HOST } = environment();
  const named = KUBECONFIG.split(delimiter).filter((file) => file !== '');
  if (named.length > 0) return named;
  const usual = join(home, '.kube', 'config');
  return KUBERNETES_SERVICE_HOST === undefined || existsSync(usual) ? [usual] : [];
}

function text(flag: unknown): string | undefined {
  return typeof flag === 'string' && flag !== '' ? flag : undefined;
}
