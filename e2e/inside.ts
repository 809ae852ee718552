/** The story, run inside the enclosure by main.ts. It ends when its lifeline closes. */
import { Socket } from 'node:net';
import { LIFELINE } from '../control-plane/node/enclosure.ts';
import { Screen } from '../demo/screen.ts';
import { Timeline } from '../demo/timeline.ts';
import { openCluster } from './cluster.ts';
import { explain } from './explain.ts';
import { outsideKubeconfig, readSettings } from './settings.ts';
import type { Stage } from './stage.ts';
import { STORIES } from './story.ts';

const FAILED = 1;
const INTERRUPTED = 130;

const screen = new Screen(process.stdout);
const timeline = new Timeline(screen);
const interrupt = new AbortController();
const lifeline = new Socket({ fd: LIFELINE, readable: true, writable: false });
lifeline.on('close', () => interrupt.abort());
lifeline.on('error', () => interrupt.abort());
lifeline.resume();
// Nothing here is worth waiting for: with this process the kernel ends everything in the enclosure.
process.exit(await run(process.argv[2] ?? ''));

async function run(workDir: string): Promise<number> {
  const settings = await readSettings(workDir);
  let stage: Stage | undefined;
  try {
    const opened = await timeline.step('A control plane and a real node', 'cluster', () =>
      openCluster(settings, screen, interrupt.signal),
    );
    stage = opened;
    for (const { title, short, run: act } of STORIES[settings.database]) {
      await timeline.step(title, short, () => act(opened));
    }
    screen.say('Every step saw its evidence.');
    screen.line('');
    screen.block(timeline.summary());
    screen.line('');
    screen.block(opened.figures.table());
    if (settings.keep) await stay(opened);
    return 0;
  } catch (err) {
    if (interrupt.signal.aborted) return INTERRUPTED;
    await explain(screen, stage, err);
    if (settings.keep && stage !== undefined) await stay(stage);
    return FAILED;
  }
}

/** Until Ctrl-C. */
async function stay({ access, settings }: Stage): Promise<void> {
  screen.say('Everything runs on until Ctrl-C. To look around from another terminal:');
  screen.block(
    [
      `export KUBECONFIG=${outsideKubeconfig(settings.workDir)}`,
      `${access.kubectlPath} get pods -A`,
      `ls ${settings.workDir}/*.log`,
    ].join('\n'),
  );
  const { promise, resolve } = Promise.withResolvers<void>();
  if (interrupt.signal.aborted) return;
  interrupt.signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
