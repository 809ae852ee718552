/**
 * The thread that owns a ledger file: SQLite's calls block, so they block here. Entry point of its
 * own, both as source and in the bundle; see `startWorker` in thread.ts.
 */
import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, fail } from './engine.ts';
import { openFile } from './file.ts';
import { checkPlace, FileWatch, lock } from './guard.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts';

/** Erased values leave the log this long after the last commit, */
const SCRUB_IDLE_MS = 500;
/** and while commits go on without a pause, this long after the erasing one. */
const SCRUB_LATEST_MS = 5_000;

/** So many requests leave enough garbage to be worth a collection, */
const COMPACT_REQUESTS = 500;
/** so long after the last of them. */
const COMPACT_IDLE_MS = 1_000;

// Set by thread.ts, which starts this file with exactly these options.
const { path, missing, crashAt } = workerData as WorkerOptions;

function reply(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function serve(): void {
  checkPlace(path);
  const held = lock(path);
  const db = openUnder(held);
  const engine = new Engine({ db, path, watch: FileWatch.ofWriter(path), crashAt });
  const scrubber = createScrubber(engine);
  const compactor = createCompactor(() => db.exec('PRAGMA shrink_memory'));

  parentPort?.on('message', (message: ToWorker) => {
    if (message === 'close') {
      scrubber.stop();
      compactor.stop();
      // SQLite does this only for the last one to close; people copy a closed ledger while gates read it.
      engine.scrub();
      db.close();
      held.close();
      reply({ type: 'closed' });
      parentPort?.close();
      return;
    }
    reply({ type: 'answers', answers: engine.execute(message) });
    scrubber.touch();
    compactor.touch(message.length);
  });
  reply({ type: 'opened' });
}

/** Gives the lock up before it says why, so that whoever hears of it can act on the file at once. */
function openUnder(held: DatabaseSync): DatabaseSync {
  try {
    return openFile(path, missing);
  } catch (thrown) {
    held.close();
    throw thrown;
  }
}

function createScrubber(engine: Engine): { touch(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let latestMs: number | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const scrub = (): void => {
    stop();
    engine.scrub();
    latestMs = undefined;
    if (engine.hasErased) timer = setTimeout(scrub, SCRUB_IDLE_MS);
  };
  const touch = (): void => {
    if (!engine.hasErased) return;
    const nowMs = performance.now();
    latestMs ??= nowMs + SCRUB_LATEST_MS;
    if (nowMs >= latestMs) return scrub();
    if (timer === undefined) timer = setTimeout(scrub, SCRUB_IDLE_MS);
    else timer.refresh();
  };
  return { touch, stop };
}

/**
 * Gives memory back after a burst: V8's pages where the program was started with `--expose-gc`, and
 * what `release` frees.
 */
function createCompactor(release: () => void): { touch(requests: number): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let sinceLast = 0;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const compact = (): void => {
    stop();
    sinceLast = 0;
    release();
    globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'sync' });
  };
  const touch = (requests: number): void => {
    sinceLast += requests;
    if (timer !== undefined) timer.refresh();
    else if (sinceLast >= COMPACT_REQUESTS) timer = setTimeout(compact, COMPACT_IDLE_MS);
  };
  return { touch, stop };
}

try {
  serve();
} catch (thrown) {
  reply({ type: 'refused', failure: fail(thrown, path) });
  parentPort?.close();
}
