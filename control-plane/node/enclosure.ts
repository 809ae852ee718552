/**
 * A place of its own for a node: mount, network and process namespaces, which end with all that is
 * in them. Whatever happens to the process that opened it, containers, mounts, addresses and
 * packet filters are gone with the enclosure's first process, and nothing outside was touched.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KERNEL_SETTINGS, OUTSIDE, INSIDE } from './enclosure.scripts.ts';
import { layoutOf } from './layout.ts';

/** As /tmp has it. */
const STICKY = 0o1777;
/** How long an orderly end may take before everything is ended at once. */
const GRACE_MS = 20_000;
/** The stream by which the program inside learns that it must end: it closes. */
export const LIFELINE = 3;

/** What to run inside. */
export type EnclosureOptions = {
  /** Removed at the end. Its name must be unique on the machine. */
  readonly workDir: string;
  /** It sets up the network. */
  readonly busybox: string;
  readonly command: readonly string[];
  /** Asks for the end. */
  readonly signal: AbortSignal;
};

/** Why there can be no enclosure here, in one sentence; undefined when there can. */
export function obstacle(platform: string, uid: number | undefined): string | undefined {
  if (platform !== 'linux') {
    return `a real node needs Linux, and this is ${platform}: see deploy/kind/ for Docker`;
  }
  if (uid !== 0) {
    return 'a real node needs root for its namespaces, mounts and cgroups: run it with sudo';
  }
  return undefined;
}

/**
 * Runs the command as root in namespaces of its own, to its end, and removes what it left: its
 * cgroups and the work folder.
 *
 * @returns its exit code
 */
export async function runEnclosed(options: EnclosureOptions): Promise<number> {
  const layout = layoutOf(options.workDir);
  await mkdir(join(layout.workDir, 'tmp'));
  await chmod(join(layout.workDir, 'tmp'), STICKY);
  await writeStandIns(layout.sysctls);
  const names = Object.keys(KERNEL_SETTINGS);
  const child = spawn(
    '/bin/sh',
    ['-c', OUTSIDE, 'keyward-node', layout.workDir, layout.cgroup, INSIDE, ...options.command],
    {
      // A group of its own: Ctrl-C reaches only us, and the story inside ends in order.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
      env: {
        ...process.env,
        // Whatever is made inside goes with the work folder.
        TMPDIR: join(layout.workDir, 'tmp'),
        KEYWARD_NODE_BUSYBOX: options.busybox,
        KEYWARD_NODE_SYSCTLS: names.join(' '),
      },
    },
  );
  return ended(child, options.signal);
}

async function ended(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let killer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    child.stdio[LIFELINE]?.destroy();
    killer = setTimeout(() => endGroup(child), GRACE_MS);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  child.stdio[LIFELINE]?.on('error', () => undefined);
  child.once('error', reject);
  child.once('exit', (code) => resolve(code ?? 1));
  try {
    return await promise;
  } finally {
    clearTimeout(killer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** SIGTERM reaches `unshare` and the shells of our group; the shell outside then cleans up. */
function endGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGTERM');
}

/** The kubelet wants certain kernel settings and would change them for the whole machine. */
async function writeStandIns(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, value] of Object.entries(KERNEL_SETTINGS)) {
    await writeFile(join(folder, name), `${value}\n`);
  }
}
