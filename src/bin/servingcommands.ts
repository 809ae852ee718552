/** What a running operator does for the command line: revoke what is retained, carry out decisions, import. */
import type { Ref } from '../api/meta.ts';
import { revokeRetained } from '../cli/ledgerkeys.ts';
import type { Deps } from '../controllers/apikey/deps.ts';
import { resolve, type ResolveDeps } from '../controllers/apikey/remote/resolve.ts';
import type { WorkQueue } from '../runtime/queue.ts';
import type { StoreSessions } from '../stores/sessions.ts';
import { openStoreOf, type DebtBell, type FindStore } from './debts.ts';
import { carryOutImport, parseImport } from './importwish.ts';
import { overhear } from './overhearing.ts';
import { requestFolder, serveRequests } from './requests.ts';
import { checkWish, findByUid, parseWish, type ResolveWish } from './resolving.ts';

/**
 * Until `stop`: serves what commands ask for, or hears of what they did where the database takes writers
 * from anywhere.
 */
export async function serveCommands(parts: {
  readonly database: string;
  readonly deps: Deps;
  readonly sessions: StoreSessions;
  readonly find: FindStore;
  /** Of the ApiKeys: a key that was resolved goes on at once. */
  readonly queue: WorkQueue;
  readonly bell: DebtBell;
  readonly stop: AbortSignal;
}): Promise<void> {
  const { database, deps, sessions, find, queue, bell, stop } = parts;
  const { ledger, log } = deps;
  const folder = requestFolder(database);
  if (folder === undefined) {
    const onKey = (ref: Ref): void => queue.add(ref, 'normal');
    await overhear({ ...deps, onKey, onGone: () => bell.onRing() }, stop);
    return;
  }
  const output = { data: () => undefined, note: () => undefined };
  const resolveDeps: ResolveDeps = {
    ...deps,
    session: (record, signal) => openStoreOf(sessions, find, record, signal),
  };
  await serveRequests(
    folder,
    {
      async revoke(uid, actor) {
        await revokeRetained(ledger, uid, { actor, nowMs: deps.clock.nowMs(), output });
        return '';
      },
      async resolve(uid, text) {
        const { ref, answer } = await resolveWish(resolveDeps, uid, parseWish(text), stop);
        queue.add(ref, 'normal');
        return answer;
      },
      async import(uid, text) {
        const { ref, answer } = await carryOutImport(deps, uid, parseImport(text, uid, deps));
        queue.add(ref, 'normal');
        return answer;
      },
    },
    { log, stop },
  );
}

/** Carries out what the command line asked for. @throws as `resolve` and `checkWish` */
export async function resolveWish(
  deps: ResolveDeps,
  uid: string,
  wish: ResolveWish,
  signal: AbortSignal,
): Promise<{ readonly ref: Ref; readonly answer: string }> {
  const record = await findByUid(deps.ledger, uid);
  checkWish(record, wish);
  const answer = await resolve(deps, record, wish, signal);
  const { namespace, name } = record;
  return { ref: { namespace, name }, answer };
}
