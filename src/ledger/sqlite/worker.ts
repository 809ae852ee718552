/**
 * The thread that owns a ledger file: SQLite's calls block, so they block here. Entry point of its
 * own, both as source and in the bundle; see `startWorker` in thread.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, fail } from './engine.ts';
import { openFile } from './file.ts';
import { checkPlace, FileWatch, lock } from './guard.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts';

/** Erased values leave the log this long after the last commit, */
const SCRUB_IDLE_MS = 500;
/** and while commits go on without a pause, this long after the erasing one. */
const SCRUB_LATEST_MS = 5_000;

// Set by thread.ts, which starts this file with exactly these options.
const { path, missing, crashAt } = workerData as WorkerOptions;

function reply(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function serve(): void {
  checkPlace(path);
  const held = lock(path);
  const db = openFile(path, missing);
  const engine = new Engine({ db, path, watch: FileWatch.ofWriter(path), crashAt });
  const scrubber = createScrubber(engine);

  parentPort?.on('message', (message: ToWorker) => {
    if (message === 'close') {
      scrubber.stop();
      if (engine.hasErased) engine.scrub();
      db.close();
      held.close();
      reply({ type: 'closed' });
      parentPort?.close();
      return;
    }
    reply({ type: 'answers', answers: engine.execute(message) });
    scrubber.touch();
  });
  reply({ type: 'opened' });
}

function createScrubber(engine: Engine): { touch(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let erasedAtMs: number | undefined;
  const scrub = (): void => {
    engine.scrub();
    erasedAtMs = undefined;
    if (engine.hasErased) timer = setTimeout(scrub, SCRUB_IDLE_MS);
  };
  const stop = (): void => clearTimeout(timer);
  const touch = (): void => {
    if (!engine.hasErased) return;
    const nowMs = performance.now();
    erasedAtMs ??= nowMs;
    stop();
    timer = setTimeout(scrub, Math.min(SCRUB_IDLE_MS, erasedAtMs + SCRUB_LATEST_MS - nowMs));
  };
  return { touch, stop };
}

try {
  serve();
} catch (thrown) {
  reply({ type: 'refused', failure: fail(thrown, path) });
  parentPort?.close();
}
