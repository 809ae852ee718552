/** `keyward inbox`: what waits for a decision. Pure. */
import { parseTime } from '../kernel/time.ts';
import { spanText } from './ages.ts';
import { asksText } from './asks.ts';
import { storeOf, type Form } from './objects.ts';
import { table, type Cell, type Paint } from './output.ts';
import { clipTo } from './width.ts';
import { visible } from './visible.ts';

/** One form that waits. */
export type Waiting = {
  readonly namespace: string;
  readonly name: string;
  readonly store: string;
  readonly type: string;
  readonly applicant: string;
  /** Absent: not read, only counted. */
  readonly asks?: string;
  /** Of the layer it waits for; '' without layers. */
  readonly layer: string;
  readonly submittedMs: number;
  readonly deadlineMs: number | undefined;
};

/** Selects the forms that wait. */
export const WAITING_SELECTOR = 'status.state=Pending';

/** Columns of the CRD that `whereaboutsOf` reads, in its order. */
export const WAITING_COLUMNS = ['Name', 'From', 'Submitted'] as const;

const ASKS_COLUMNS = 48;
const APPLICANT_COLUMNS = 28;

/** Where a waiting form is and since when, out of the server's own table. */
type Whereabouts = Pick<Waiting, 'namespace' | 'name' | 'submittedMs'>;

/** Undefined for a row that says no name or namespace. */
export function whereaboutsOf(cells: readonly unknown[]): Whereabouts | undefined {
  const [name, namespace, submitted] = cells;
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  const submittedMs = typeof submitted === 'string' ? parseTime(submitted) : undefined;
  return { name, namespace, submittedMs: submittedMs ?? 0 };
}

/** A waiting form; undefined when it waits no more. */
export function waitingOf(form: Form): Waiting | undefined {
  const { metadata, spec, status } = form;
  if (status?.state !== 'Pending') return undefined;
  const { approvals, applicant } = status;
  return {
    ...roundOf(form),
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    store: storeOf(spec).name,
    applicant: applicant?.username ?? '',
    layer: approvals?.layer ?? '',
  };
}

function roundOf({
  metadata,
  status,
}: Form): Pick<Waiting, 'type' | 'asks' | 'submittedMs' | 'deadlineMs'> {
  const round = status?.round;
  const created = parseTime(metadata.creationTimestamp ?? '') ?? 0;
  return {
    type: round?.type ?? '',
    asks: asksText(round?.changes, ASKS_COLUMNS),
    submittedMs: parseTime(round?.submittedTime ?? '') ?? created,
    deadlineMs: parseTime(round?.deadlineTime ?? ''),
  };
}

/** Who waits longest comes first; equal ones by name. */
export function byWaiting<W extends Whereabouts>(waiting: readonly W[]): readonly W[] {
  return waiting.toSorted(
    (a, b) =>
      a.submittedMs - b.submittedMs || compare(a.namespace, b.namespace) || compare(a.name, b.name),
  );
}

/** The table, without titles' row when nothing waits. */
export function inboxTable(
  waiting: readonly Waiting[],
  how: { readonly nowMs: number; readonly wide: 'Wide' | 'Narrow'; readonly paint: Paint },
): string {
  const { nowMs, wide, paint } = how;
  const titles = ['STORE', 'APPLICATION', 'TYPE', 'FROM', 'APPLICANT', 'ASKS', 'WAITING'];
  const rows = waiting.map((each) => row(each, nowMs));
  if (wide === 'Narrow') return table(titles, rows, paint);
  const more = waiting.map(({ layer }, place) => [...(rows[place] ?? []), layer]);
  return table([...titles, 'LAYER'], more, paint);
}

/** What the reader may do next. */
export function inboxNext(waiting: readonly Whereabouts[], total: number): string {
  const [first] = waiting;
  if (first === undefined) return 'nothing waits\n';
  const shown =
    total === waiting.length
      ? `${total} waiting`
      : `${total} waiting, of which the oldest ${waiting.length} are shown (--limit 0 shows all)`;
  return `${shown}. Next: keyward review ${visible(first.name)} -n ${visible(first.namespace)}\n`;
}

function row(each: Waiting, nowMs: number): readonly Cell[] {
  const lapses =
    each.deadlineMs === undefined ? '' : ` (lapses in ${spanText(each.deadlineMs - nowMs)})`;
  return [
    each.store,
    each.name,
    each.type,
    each.namespace,
    clipTo(visible(each.applicant), APPLICANT_COLUMNS),
    each.asks ?? '',
    `${spanText(nowMs - each.submittedMs)}${lapses}`,
  ];
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
