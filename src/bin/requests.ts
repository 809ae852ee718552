/**
 * Requests of the command line to a running operator, which alone may write the ledger: one file
 * each in a folder beside the database, so whoever may write there could replace the database too.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sleep, systemClock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { parseSqliteUrl } from '../ledger/sqlite/location.ts';

const POLL_MS = SECOND_MS;
const SUFFIX = '.revoke';
/** UIDs are UUIDs; anything else is no file of ours. */
const UID = /^[0-9a-f-]{36}$/;

/** The folder of a database; undefined for databases that take writers from anywhere. */
export function requestFolder(database: string): string | undefined {
  return database.startsWith('sqlite:')
    ? `${resolve(parseSqliteUrl(database))}-requests`
    : undefined;
}

/** Leaves a request to revoke a retained key. May be repeated: it is the same file. */
export async function leaveRevokeRequest(
  folder: string,
  uid: string,
  actor: string,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, uid + SUFFIX);
  // Complete when it appears: the operator may look at any moment.
  await writeFile(`${path}.new`, actor, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Serves requests until `stop`; a request that fails stays and is tried again. */
export async function serveRequests(
  folder: string,
  revoke: (uid: string, actor: string) => Promise<void>,
  context: { readonly log: Logger; readonly stop: AbortSignal },
): Promise<void> {
  while (!context.stop.aborted) {
    // One look after the other is what this loop is for.
    // oxlint-disable-next-line no-await-in-loop
    await serveOnce(folder, revoke, context.log);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(systemClock, POLL_MS, context.stop).catch(() => undefined);
  }
}

async function serveOnce(
  folder: string,
  revoke: (uid: string, actor: string) => Promise<void>,
  log: Logger,
): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const uid = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
    if (!UID.test(uid)) continue;
    try {
      // In turn: the few there are need no hurry.
      // oxlint-disable-next-line no-await-in-loop
      await revoke(uid, await readFile(join(folder, name), 'utf8'));
      // oxlint-disable-next-line no-await-in-loop
      await rm(join(folder, name), { force: true });
    } catch (error) {
      const { reason, class: errorClass } = classify(error);
      log.warn('A request of the command line failed', { uid, reason });
      // oxlint-disable-next-line no-await-in-loop
      if (errorClass === 'Terminal') await rm(join(folder, name), { force: true });
    }
  }
}
