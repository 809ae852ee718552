/** Helm, as a person calls it, but with no memory of other runs. Called by the chart's tests and tools. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinary } from './binaries.ts';
import { outcomeOf, type Outcome } from './outcome.ts';

/** Runs Helm to its end; a failure of Helm is an outcome. Without a kubeconfig it knows no cluster. */
export type Helm = (args: readonly string[], kubeconfig?: string) => Promise<Outcome>;

/** Helm from the cache; builds it at the first time. `close` removes its folder. */
export async function openHelm(): Promise<{ readonly helm: Helm; close(): Promise<void> }> {
  const path = await ensureBinary('helm');
  const home = await mkdtemp(join(tmpdir(), 'keyward-helm-'));
  return {
    helm: (args, kubeconfig = join(home, 'no-kubeconfig')) => run(path, args, { home, kubeconfig }),
    close: () => rm(home, { recursive: true, force: true }),
  };
}

function run(
  path: string,
  args: readonly string[],
  { home, kubeconfig }: { readonly home: string; readonly kubeconfig: string },
): Promise<Outcome> {
  const env = { HOME: home, PATH: process.env['PATH'], KUBECONFIG: kubeconfig };
  return outcomeOf(spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}
