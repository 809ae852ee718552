/**
 * `npm run soak`: an operator and a gate for many minutes with keys that come and go, then at rest.
 * The exit code is 1 when something was kept, written or answered that must not be.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startWatchdog } from '../../control-plane/watchdog.ts';
import { readOrExplain } from '../../tools/flags.ts';
import { SECOND_MS } from '../../src/kernel/time.ts';
import { Caller, type Shown } from './calls.ts';
import { parseFlags, USAGE, type SoakOptions } from './flags.ts';
import { Lives } from './lives.ts';
import { lookAt, watchMemory, writesSoFar, type Look } from './looks.ts';
import { makeStanding } from './standing.ts';
import { table, violations, type Findings } from './verdict.ts';
import { startWorld, type World } from './world.ts';

/** Between the last act and a look: uses are written down, the log is emptied, stores count their keys once a minute. */
const SETTLE_SECONDS = 75;
const SAMPLE_SECONDS = 5;

const options = readOrExplain(USAGE, () => parseFlags(process.argv.slice(2)));
if (options === 'help') console.log(USAGE);
else process.exitCode = await soak(options);

async function soak(asked: SoakOptions): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'keyward-soak-'));
  const watchdog = startWatchdog(root);
  let world: World | undefined;
  try {
    report('building the program and starting a control plane, an operator and a gate');
    world = await startWorld(root);
    for (const { pid } of world.subjects) watchdog.watch(pid);
    report(`making ${asked.keys} keys that stay`);
    const shown = await makeStanding(world, asked.keys);
    const findings = await Promise.race([observe(world, shown, asked), world.broken]);
    console.log(`\n${table(findings)}`);
    const wrong = violations(findings);
    console.log(
      wrong.length === 0 ? '\nnothing was kept that should be gone' : `\n${wrong.join('\n')}`,
    );
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await world?.stop();
    await watchdog.release();
  }
}

async function observe(
  world: World,
  shown: readonly Shown[],
  asked: SoakOptions,
): Promise<Findings> {
  const caller = new Caller(world.gatePort);
  const lives = new Lives(world, caller);
  try {
    report('warm-up');
    await load(asked.warmUpSeconds);
    const warm = await look();
    const before = { lives: lives.begun, asked: caller.asked };
    report('load');
    const watching = watchMemory(world, SAMPLE_SECONDS);
    await load(asked.loadSeconds);
    const memory = watching.stop();
    const loaded = await look();
    const writesBefore = await writesSoFar(world);
    report('rest');
    await pause(asked.idleSeconds * SECOND_MS);
    const idleWrites = (await writesSoFar(world)).slice(writesBefore.length);
    const ended = await look();
    if (lives.skipped > 0) report(`${lives.skipped} lives were left out: the machine was too slow`);
    return {
      warm,
      loaded,
      ended,
      memory,
      lives: lives.begun - before.lives,
      asked: caller.asked - before.asked,
      failedLives: lives.failures,
      wrongAnswers: caller.wrong,
      idleWrites,
    };
  } finally {
    await caller.stop();
  }

  async function load(seconds: number): Promise<void> {
    caller.start(shown, asked.callsPerSecond);
    const timer = setInterval(() => lives.begin(), SECOND_MS / asked.livesPerSecond);
    await pause(seconds * SECOND_MS);
    clearInterval(timer);
    await lives.over();
    await caller.stop();
  }

  async function look(): Promise<Look> {
    await pause(SETTLE_SECONDS * SECOND_MS);
    return lookAt(world);
  }
}

function report(line: string): void {
  console.error(`${(performance.now() / SECOND_MS).toFixed(0).padStart(5)} s  ${line}`);
}
