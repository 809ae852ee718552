/**
 * The thread that writes what a gate counts. Entry point of its own, both as source and in the bundle;
 * see `startWorker` in thread.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { UseRequest } from '../requests.ts';
import { fail } from './engine.ts';
import { openFileForUses } from './file.ts';
import { checkPlace, FileWatch } from './guard.ts';
import type { FromWorker, ToWorker, UseWorkerOptions } from './protocol.ts';
import { UseEngine } from './useengine.ts';

// Set by thread.ts, which starts this file with exactly these options.
const { path } = workerData as UseWorkerOptions;

function reply(message: FromWorker): void {
  parentPort?.postMessage(message);
}

function serve(): void {
  checkPlace(path);
  const db = openFileForUses(path);
  const engine = new UseEngine({ db, path, watch: FileWatch.ofGate(path) });
  parentPort?.on('message', (message: ToWorker<UseRequest>) => {
    if (message === 'close') {
      db.close();
      reply({ type: 'closed' });
      parentPort?.close();
      return;
    }
    reply({ type: 'answers', answers: engine.execute(message) });
  });
  reply({ type: 'opened' });
}

try {
  serve();
} catch (thrown) {
  reply({ type: 'refused', failure: fail(thrown, path) });
  parentPort?.close();
}
