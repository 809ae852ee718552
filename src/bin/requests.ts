/**
 * Requests of the command line to a running operator, which alone may write the ledger: one file
 * each in a folder beside the database, so whoever may write there could replace the database too.
 * An answer is a file beside the request; who asked takes it away.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, systemClock } from '../kernel/clock.ts';
import { classify, KeywardError } from '../kernel/errors.ts';
import { systemCode } from '../kernel/files.ts';
import type { Logger } from '../kernel/log.ts';
import { SECOND_MS } from '../kernel/time.ts';
import { openLedger } from '../ledger/open.ts';
import type { Ledger } from '../ledger/port.ts';
import { placeOf } from '../ledger/sqlite/place.ts';

const POLL_MS = SECOND_MS;
const ANSWER_POLL_MS = SECOND_MS / 5;
const ANSWER_MAX_MS = 30 * SECOND_MS;
/** UIDs are UUIDs; anything else is no file of ours. */
const FILE = /^([0-9a-f-]{36})\.(revoke|resolve|import)$/;

/** What can be asked for. */
export type Verb = 'revoke' | 'resolve' | 'import';

/** Serves one request about the key of this UID; what it resolves to is the answer. */
export type Handler = (uid: string, text: string) => Promise<string>;

/** The folder of a database; undefined for databases that take writers from anywhere. */
export function requestFolder(database: string): string | undefined {
  return database.startsWith('sqlite:') ? `${placeOf(database)}-requests` : undefined;
}

/**
 * The ledger, for a command that writes; or, where a running operator has it for itself, the folder of requests to it.
 * @throws KeywardError of the ledger, DatabaseMissing among them
 */
export async function openOrAsk(
  database: string,
): Promise<{ readonly ledger: Ledger } | { readonly folder: string }> {
  try {
    return { ledger: await openLedger({ url: database, missing: 'Refuse' }) };
  } catch (error) {
    const folder = requestFolder(database);
    const isInUse = error instanceof KeywardError && error.reason === 'DatabaseInUse';
    if (isInUse && folder !== undefined) return { folder };
    throw error;
  }
}

/** Leaves a request. May be repeated: it is the same file. */
export async function leaveRequest(
  folder: string,
  request: { readonly uid: string; readonly verb: Verb; readonly text: string },
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await put(join(folder, `${request.uid}.${request.verb}`), request.text);
}

/**
 * Leaves a request and waits for its answer. @throws KeywardError as the operator put it; Waiting
 * NoAnswer when it does not answer in time: the request is taken back
 */
export async function askOperator(
  folder: string,
  request: { readonly uid: string; readonly verb: Verb; readonly text: string },
): Promise<string> {
  const path = join(folder, `${request.uid}.${request.verb}`);
  await rm(answerOf(path), { force: true });
  await leaveRequest(folder, request);
  for (let waitedMs = 0; waitedMs < ANSWER_MAX_MS; waitedMs += ANSWER_POLL_MS) {
    // Waiting is what this loop is for.
    // oxlint-disable-next-line no-await-in-loop
    await sleep(systemClock, ANSWER_POLL_MS);
    // oxlint-disable-next-line no-await-in-loop
    const text = await readFile(answerOf(path), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop
    await rm(answerOf(path), { force: true });
    // Parser: only `answer` writes it.
    const { message, reason } = JSON.parse(text) as Answer;
    if (reason === undefined) return message;
    throw new KeywardError('Terminal', { reason, message });
  }
  await rm(path, { force: true });
  throw new KeywardError('Waiting', {
    reason: 'NoAnswer',
    message: 'the operator does not answer; it may not lead yet: run the command again',
  });
}

type Answer = { readonly message: string; readonly reason?: string };

/** Serves requests until `stop`. Never rejects: what lies in the folder must not end an operator. */
export async function serveRequests(
  folder: string,
  handlers: Readonly<Record<Verb, Handler>>,
  context: { readonly log: Logger; readonly stop: AbortSignal },
): Promise<void> {
  const serving = { handlers, log: context.log, broken: new Set<string>() };
  while (!context.stop.aborted) {
    // One look after the other is what this loop is for.
    // oxlint-disable-next-line no-await-in-loop
    await serveOnce(folder, serving);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(systemClock, POLL_MS, context.stop).catch(() => undefined);
  }
}

type Serving = {
  readonly handlers: Readonly<Record<Verb, Handler>>;
  readonly log: Logger;
  /** Files that could be neither served nor removed: said once, not at each look. */
  readonly broken: Set<string>;
};

async function serveOnce(folder: string, { handlers, log, broken }: Serving): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, uid, verb] = FILE.exec(name) ?? [];
    if (uid === undefined || verb === undefined) continue;
    const path = join(folder, name);
    const served =
      verb === 'revoke'
        ? serveLasting(path, uid, handlers.revoke, log)
        : serveAsked(path, uid, verb === 'import' ? handlers.import : handlers.resolve, log);
    // In turn: the few there are need no hurry.
    // oxlint-disable-next-line no-await-in-loop
    await served.catch((error: unknown) => {
      if (!broken.has(name))
        log.warn('A request lies in the way', { path, code: systemCode(error) });
      broken.add(name);
    });
  }
}

/** Revocations are never given up: one that fails stays and is tried again. */
async function serveLasting(path: string, uid: string, act: Handler, log: Logger): Promise<void> {
  const text = await readFile(path, 'utf8');
  try {
    await act(uid, text);
  } catch (error) {
    const { reason, class: errorClass } = classify(error);
    log.warn('A request of the command line failed', { uid, reason });
    if (errorClass !== 'Terminal') return;
  }
  await rm(path, { force: true });
}

/** Somebody waits for the answer, and asks again if he likes. */
async function serveAsked(path: string, uid: string, act: Handler, log: Logger): Promise<void> {
  const text = await readRequest(path);
  // Taken back while others were served.
  if (text === undefined) return;
  // What cannot be taken out of the way either is said elsewhere, and once.
  if (text instanceof KeywardError) await rm(path, { force: true });
  const answer = await (text instanceof KeywardError ? Promise.reject(text) : act(uid, text)).then(
    (message): Answer => ({ message }),
    (error: unknown): Answer => {
      const { reason, message } = classify(error);
      log.warn('A request of the command line failed', { uid, reason });
      return { reason, message };
    },
  );
  await rm(path, { force: true });
  await put(answerOf(path), JSON.stringify(answer)).catch(() => undefined);
}

/** Undefined: it is gone. An error is for whoever asks: as another user than ours he leaves what we cannot read. */
async function readRequest(path: string): Promise<string | KeywardError | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    return new KeywardError('Terminal', {
      reason: 'RequestUnreadable',
      message: 'the operator cannot read the request; run the command as the user of the operator',
      cause,
    });
  }
}

function answerOf(path: string): string {
  return `${path}.answer`;
}

/** Complete when it appears: the other side may look at any moment. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
