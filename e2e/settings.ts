/** What the outer process hands to the story inside the enclosure, by a file in the work folder. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodePrograms } from '../control-plane/node/programs.ts';

/** Everything that was found or built outside, where there is a network and other processes' locks. */
export type Settings = {
  readonly workDir: string;
  readonly programs: NodePrograms;
  readonly helm: string;
  /** Tar of the image under test. */
  readonly imageTar: string;
  /** Of package.json; the image is `keyward:VERSION`. */
  readonly version: string;
  readonly chart: string;
  /** nginx for the gateway's pod, and the variables it needs to run here. */
  readonly nginx: { readonly path: string; readonly env: Readonly<Record<string, string>> };
  readonly keep: boolean;
  readonly database: 'sqlite' | 'postgres';
  /** Port on the machine's loopback that leads to the API server inside. */
  readonly outsidePort: number;
};

/** The socket file through which connections come from outside. */
export function windowPath(workDir: string): string {
  return join(workDir, 'window');
}

/** A kubeconfig for the machine's own kubectl. */
export function outsideKubeconfig(workDir: string): string {
  return join(workDir, 'kubeconfig');
}

function settingsFile(workDir: string): string {
  return join(workDir, 'settings.json');
}

/** Writes them where `readSettings` finds them. */
export async function writeSettings(settings: Settings): Promise<void> {
  await writeFile(settingsFile(settings.workDir), JSON.stringify(settings));
}

/** Reads what `writeSettings` of the same version of this file wrote. */
export async function readSettings(workDir: string): Promise<Settings> {
  // Written a moment ago by our own parent process.
  return JSON.parse(await readFile(settingsFile(workDir), 'utf8')) as Settings;
}
