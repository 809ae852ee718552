/** `keyward keys`: the keys of a client or namespace, newest first. Pure. */
import { parseTime } from '../kernel/time.ts';
import { conditionOf, storeOf, toneOf, type Key } from './objects.ts';
import { table, type Cell, type Paint } from './output.ts';
import { usesText } from './uses.ts';

/** What a list without entries answers; it is no failure. */
export const NOTHING_FOUND = '1298 No information found\n';

/** Newest first; equally old ones by name. */
export function newestFirst(keys: readonly Key[]): readonly Key[] {
  const createdMs = (key: Key): number => parseTime(createdOf(key)) ?? 0;
  return keys.toSorted(
    (a, b) => createdMs(b) - createdMs(a) || (a.metadata.name < b.metadata.name ? -1 : 1),
  );
}

/** What of a key the table has beside what it always has. */
type KeyColumns = {
  readonly namespace: 'With' | 'Without';
  readonly client: 'With' | 'Without';
  readonly wide: 'With' | 'Without';
};

/** The table. */
export function keyTable(keys: readonly Key[], columns: KeyColumns, paint: Paint): string {
  const titles = ['KEY', 'NAME', 'CREATED', 'EXPIRES', 'REVOKED', 'STATE'];
  const rows = newestFirst(keys).map((key) => [
    ...(columns.namespace === 'With' ? [key.metadata.namespace ?? ''] : []),
    ...(columns.client === 'With' ? [clientOf(key)] : []),
    ...cells(key),
    ...(columns.wide === 'With' ? wideCells(key) : []),
  ]);
  const all = [
    ...(columns.namespace === 'With' ? ['NAMESPACE'] : []),
    ...(columns.client === 'With' ? ['CLIENT'] : []),
    ...titles,
    ...(columns.wide === 'With' ? ['STORE', 'APPLICATION', 'SECRET', 'LEFT', 'DISPLAY NAME'] : []),
  ];
  return table(all, rows, paint);
}

function cells(key: Key): readonly Cell[] {
  const { metadata, status } = key;
  const state = conditionOf(status, 'Ready')?.reason ?? 'Pending';
  return [
    status?.keyId ?? '<none>',
    metadata.name,
    createdOf(key),
    status?.expirationTime ?? '<never>',
    revokedOf(key),
    { text: state, tone: toneOf(state) },
  ];
}

function wideCells({ spec, status }: Key): readonly Cell[] {
  return [
    status?.storeRef?.name ?? storeOf(spec).name,
    status?.grant?.applicationName ?? spec.applicationRef?.name ?? '',
    status?.binding?.name ?? '',
    usesText(status?.quota, undefined, 0),
    spec.displayName ?? '',
  ];
}

function createdOf({ metadata, status }: Key): string {
  return status?.issuedTime ?? metadata.creationTimestamp ?? '';
}

/** Since when the key is dead for good, as far as the status tells. */
function revokedOf({ status }: Key): string {
  const ready = conditionOf(status, 'Ready');
  const isOver = ready?.reason === 'Revoked' || ready?.reason === 'GrantWithdrawn';
  return isOver ? ready.lastTransitionTime : '';
}

function clientOf({ spec, status }: Key): string {
  return status?.clientName ?? spec.clientRef?.name ?? '';
}
