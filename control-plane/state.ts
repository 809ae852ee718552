/** A file that tells other processes about a running control plane. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Endpoint } from './access.ts';
import type { ControlPlane } from './start.ts';

/** The endpoint, and what to end when nobody needs it any more. */
export type State = Endpoint & { readonly pids: readonly number[] };

/** Writes the file in one step: a reader sees all of it or nothing. */
export async function writeState(path: string, controlPlane: ControlPlane): Promise<void> {
  const { url, caFile, adminKubeconfig, workDir, kubectlPath } = controlPlane;
  const pids = controlPlane.pids();
  const state: State = { url, caFile, adminKubeconfig, workDir, kubectlPath, pids };
  await writeFile(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Reads what `writeState` wrote; fails when the file is missing or something else. */
export async function readState(path: string): Promise<State> {
  const state: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!isState(state)) throw new Error(`"${path}" does not describe a control plane`);
  return state;
}

function isState(value: unknown): value is State {
  if (typeof value !== 'object' || value === null) return false;
  const fields = ['url', 'caFile', 'adminKubeconfig', 'workDir', 'kubectlPath'];
  const entries = new Map(Object.entries(value));
  return fields.every((field) => typeof entries.get(field) === 'string');
}
