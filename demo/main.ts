/**
 * `npm run demo`: a real API server, a real operator, and the life of API keys, each step with its
 * evidence. Exit code 0 only when every step saw it.
 */
import { mkdtemp } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWatchdog, type Watchdog } from '../control-plane/watchdog.ts';
import { readOrExplain } from '../tools/flags.ts';
import { Cleanup } from './cleanup.ts';
import { curlLines } from './gate/calls.ts';
import { readFlags, USAGE, type Flags } from './flags.ts';
import type { Program } from './program.ts';
import { Screen } from './screen.ts';
import { setUp } from './setup.ts';
import type { Stage } from './stage.ts';
import { Timeline } from './timeline.ts';
import { walk } from './walk.ts';

const LOG_LINES = 15;
const NEXT = `npm run demo -- --keep             leave it running and play with kubectl
npm run demo -- visitseoul         keys are applied for and reviewed; digirunner is another way
npm run demo -- naver              the same with keys at a vendor; solapi is the other one
npm run demo -- gate               real nginx and Envoy ask the gate about every call
npm run demo -- --context NAME     the same on a cluster of yours, such as kind
docs/install.md                    install it on a cluster of yours
docs/architecture.md               how it works inside`;

const SAME_SIGNAL_MS = 500;
const FAILED = 1;

const screen = new Screen(process.stdout);
const flags = readOrExplain(USAGE, () => readFlags(process.argv.slice(2)));
if (flags.help) process.stdout.write(USAGE);
else process.exitCode = await run(flags);

/** What one run leaves for its end. */
type Ending = {
  readonly flags: Flags;
  readonly cleanup: Cleanup;
  readonly watchdog: Watchdog;
  readonly workDir: string;
};

async function run(chosen: Flags): Promise<number> {
  const interrupt = onInterrupt();
  const workDir = await mkdtemp(join(tmpdir(), 'keyward-demo-'));
  const watchdog = startWatchdog(workDir);
  const ending: Ending = { flags: chosen, cleanup: new Cleanup(), watchdog, workDir };
  const timeline = new Timeline(screen);
  let operator: Program | undefined;
  try {
    const stage = await setUp({
      ...ending,
      screen,
      timeline,
      signal: interrupt.signal,
      onCluster: interrupt.endInOrder,
      onOperator: (started) => void (operator = started),
    });
    await walk(stage, timeline);
    return await succeed(ending, stage, timeline);
  } catch (err) {
    const signal = interrupt.caught();
    if (signal === undefined) await explain(err, operator);
    await clean(ending);
    return signal === undefined ? FAILED : 128 + constants.signals[signal];
  }
}

async function succeed(ending: Ending, stage: Stage, timeline: Timeline): Promise<number> {
  screen.say('Every step saw its evidence.');
  for (const finding of stage.findings) screen.proof(finding);
  screen.line('');
  screen.block(timeline.summary());
  if (!ending.flags.keep) {
    screen.say('What to try next:');
    screen.block(NEXT);
    return clean(ending);
  }
  await stage.cluster.keep();
  await stage.database.keep();
  await stage.chain?.keep();
  await ending.watchdog.keep();
  screen.say('Everything runs on. To look around:');
  screen.block(reachText(stage));
  screen.say("To stop it (the operator's token lasts 24 hours):");
  screen.block(stopText(stage, ending.workDir));
  process.exit(0);
}

function reachText({ cluster, installation, vendor, chain }: Stage): string {
  return [
    `export KUBECONFIG=${cluster.access.adminKubeconfig}`,
    `export KEYWARD_DATABASE=${installation.database}`,
    `export KEYWARD_MASTER_KEY_FILE=${installation.masterKeyFile}`,
    `${cluster.access.kubectlPath} get akey`,
    'npm run keyward -- keys',
    ...(vendor === undefined ? [] : [`curl ${vendor.process.address}/__fake/state`]),
    ...(chain === undefined ? [] : curlLines(chain, cluster.access.kubectlPath)),
  ].join('\n');
}

function stopText({ cluster, operator, database, vendor, chain }: Stage, workDir: string): string {
  const own = [
    operator.pid,
    ...database.pids,
    ...(vendor === undefined ? [] : [vendor.process.pid]),
    ...(chain?.pids ?? []),
  ];
  const folders = [workDir, ...(chain?.folders ?? [])].join(' ');
  if (cluster.origin === 'Own') {
    return `kill -9 ${[...own, ...cluster.pids].join(' ')} && rm -r ${folders}`;
  }
  return [
    'kubectl delete namespace keyward-demo && kubectl delete ckst default',
    'kubectl delete --ignore-not-found -f deploy/admission/mutating -f deploy/admission',
    'kubectl delete -f deploy/rbac -f crds',
    `kill ${own.join(' ')} && rm -r ${folders}`,
  ].join('\n');
}

async function explain(err: unknown, operator: Program | undefined): Promise<void> {
  screen.line('');
  screen.failure(messageOf(err));
  const words = await operator?.lastWords(LOG_LINES);
  if (words === undefined) return;
  screen.say(`The last lines of the operator's log:`);
  screen.block(words);
}

/** Undoes everything that was begun. @returns the exit code this leads to */
async function clean({ cleanup, watchdog }: Ending): Promise<number> {
  const failures = await cleanup.run();
  for (const failure of failures) screen.failure(`could not be cleaned up: ${failure}`);
  await watchdog.release();
  return failures.length === 0 ? 0 : FAILED;
}

type Interrupt = {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** From now on a signal lets the running step fail, so that everything ends in order. */
  readonly endInOrder: () => void;
  /** The signal that came, if one did. */
  caught(): NodeJS.Signals | undefined;
};

/** Before there is a cluster nothing must be ended in order: the watchdogs end what was begun. */
function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let isOrderly = false;
  let first: NodeJS.Signals | undefined;
  let firstMs = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    // One Ctrl-C may arrive twice, from the terminal and from the process above.
    if (first !== undefined && performance.now() - firstMs < SAME_SIGNAL_MS) return;
    if (first !== undefined || !isOrderly) process.exit(128 + constants.signals[signal]);
    first = signal;
    firstMs = performance.now();
    screen.say('Interrupted; cleaning up.');
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    endInOrder: () => void (isOrderly = true),
    caught: () => first,
  };
}

function messageOf(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}
