/** Composition of `keyward inbox`. */
import type { KubeObject, Ref } from '../api/meta.ts';
import { API_KEY_APPLICATIONS } from '../api/names.ts';
import { usageError } from '../cli/exit.ts';
import {
  byWaiting,
  inboxNext,
  inboxTable,
  WAITING_COLUMNS,
  WAITING_SELECTOR,
  waitingOf,
  whereaboutsOf,
} from '../cli/inbox.ts';
import type { Form } from '../cli/objects.ts';
import type { Flags } from '../config/layers.ts';
import { KeywardError } from '../kernel/errors.ts';
import { printList } from './printing.ts';
import { type Session, withSession } from './session.ts';

const LIMIT = 50;
/** Calls at the same time; more would only wait at the server. */
const READERS = 4;

type Where = { readonly namespace?: string };
type Found = { readonly forms: readonly Form[]; readonly total: number };

/** `keyward inbox` */
export async function runInbox(flags: Flags): Promise<void> {
  const limit = limitOf(flags);
  await withSession(flags, async (session) => {
    const { forms, total } = await everywhere(session, (where) =>
      limit === 0 || session.form === 'json' || session.form === 'yaml' || session.form === 'name'
        ? allWaiting(session, where)
        : oldestWaiting(session, where, limit),
    );
    const { form, output, paint, nowMs } = session;
    if (form !== 'table' && form !== 'wide') {
      await printList(API_KEY_APPLICATIONS, forms, form);
      return;
    }
    const waiting = byWaiting(forms.map(waitingOf).filter((each) => each !== undefined));
    const wide = form === 'wide' ? 'Wide' : 'Narrow';
    if (waiting.length > 0) output.data(inboxTable(waiting, { nowMs, wide, paint }));
    output.note(inboxNext(waiting, total));
  });
}

/** In all namespaces, unless somebody named one or all are not the caller's to see. */
async function everywhere(
  session: Session,
  look: (where: Where) => Promise<Found>,
): Promise<Found> {
  const { scope, namespace, output } = session;
  if (scope === 'Named') return await look({ namespace });
  try {
    return await look({});
  } catch (error) {
    const isTooMuch = error instanceof KeywardError && error.reason === 'Forbidden';
    if (!isTooMuch || scope === 'All') throw error;
    output.note(`you may not list all namespaces; this is namespace ${namespace}\n`);
    return await look({ namespace });
  }
}

async function allWaiting({ client }: Session, where: Where): Promise<Found> {
  const query = { ...where, fieldSelector: WAITING_SELECTOR };
  const forms: KubeObject[] = [];
  for await (const page of client.list(API_KEY_APPLICATIONS, query)) forms.push(...page);
  // Parser: the API server answers for the objects in its own list.
  return { forms: forms as unknown as readonly Form[], total: forms.length };
}

/**
 * The first page has everything where little waits. Where much waits, reading all of it takes seconds
 * and nobody reads it: the server's own table says which the oldest are, and those alone are read.
 */
async function oldestWaiting(session: Session, where: Where, limit: number): Promise<Found> {
  const { client } = session;
  const query = { ...where, fieldSelector: WAITING_SELECTOR };
  const cells = await client.cells(API_KEY_APPLICATIONS, query, WAITING_COLUMNS);
  const places = cells.map(whereaboutsOf).filter((each) => each !== undefined);
  // Without our columns, as with CRDs of another version, there is no shorter way.
  if (places.length < cells.length) return await allWaiting(session, where);
  const forms = await readAll(session, byWaiting(places).slice(0, limit));
  return { forms, total: cells.length };
}

async function readAll({ client }: Session, refs: readonly Ref[]): Promise<readonly Form[]> {
  const found: (KubeObject | undefined)[] = Array.from({ length: refs.length });
  let next = 0;
  const read = async (): Promise<void> => {
    while (next < refs.length) {
      const place = next;
      next += 1;
      const ref = refs[place];
      // Four of these loops run beside each other.
      // oxlint-disable-next-line no-await-in-loop
      if (ref !== undefined) found[place] = await client.get(API_KEY_APPLICATIONS, ref);
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  // Parser: the API server answers for the objects it sends.
  return found.filter((form) => form !== undefined) as readonly KubeObject[] as readonly Form[];
}

function limitOf(flags: Flags): number {
  const { limit = String(LIMIT) } = flags;
  if (typeof limit === 'string' && /^\d{1,6}$/.test(limit)) return Number(limit);
  throw usageError(`--limit takes a whole number, not '${String(limit)}'`);
}
