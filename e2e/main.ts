/**
 * `npm run e2e`: the image, the chart and a workload on a real kubelet, from installation to
 * uninstallation. This process finds and builds what is needed; the story itself runs in namespaces
 * of its own, which end with it. Exit code 0 only when every step saw its evidence.
 */
import { chmod, mkdtemp } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { obstacle, runEnclosed } from '../control-plane/node/enclosure.ts';
import { carry } from '../control-plane/node/window.ts';
import { readOrExplain } from '../tools/flags.ts';
import { readFlags, USAGE, type Flags } from './flags.ts';
import { prepare } from './prepare.ts';
import { windowPath, writeSettings } from './settings.ts';

const STORY = join(import.meta.dirname, 'inside.ts');

const flags = readOrExplain(USAGE, () => readFlags(process.argv.slice(2)));
const reason = obstacle(process.platform, process.getuid?.());
if (flags.help) process.stdout.write(USAGE);
else if (reason !== undefined) {
  console.error(reason);
  process.exitCode = 1;
} else process.exitCode = await run(flags);

async function run(chosen: Flags): Promise<number> {
  const interrupt = new AbortController();
  let caught: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      caught ??= signal;
      interrupt.abort();
    });
  }
  const found = await prepare(chosen);
  if (caught !== undefined) return 128 + constants.signals[caught];
  const workDir = await mkdtemp(join(tmpdir(), 'keyward-e2e-'));
  // Servers that are not root look into it; what is secret has modes of its own.
  await chmod(workDir, 0o711);
  const settings = { ...found, workDir };
  await writeSettings(settings);
  const port = settings.outsidePort;
  const close = await carry({ port, host: '127.0.0.1' }, { path: windowPath(workDir) });
  const code = await runEnclosed({
    workDir,
    busybox: settings.programs.busybox,
    command: [process.execPath, STORY, workDir],
    signal: interrupt.signal,
  });
  close();
  // With --keep Ctrl-C is the way to end it.
  return caught === undefined || code === 0 ? code : 128 + constants.signals[caught];
}
