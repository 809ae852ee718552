/** `keyward status`: what belongs together, as a tree, and what to do next. Pure. */
import { agoText, spanText } from './ages.ts';
import { asksText } from './asks.ts';
import { meaningsOfWord } from './explain.ts';
import { conditionOf, storeOf, toneOf, type Form, type Key, type Store } from './objects.ts';
import { table, type Cell, type Paint } from './output.ts';
import { parseTime } from '../kernel/time.ts';
import { barred } from './paragraphs.ts';
import { usesText, type LiveUses } from './uses.ts';
import { widthOf, wrapTo } from './width.ts';
import { visible } from './visible.ts';

/** What was found under one name; each may be absent. */
export type Family = {
  readonly form: Form | undefined;
  readonly key: Key | undefined;
  /** Undefined: it is gone, or may not be read. */
  readonly store: Store | undefined;
  /** How the key was used; absent: the database was not asked. */
  readonly uses?: LiveUses | undefined;
};

type Line = {
  readonly depth: string;
  /** Object, ready, status. */
  readonly cells: readonly [string, string, Cell];
  /** The last column; longer ones go on in further rows. */
  readonly detail: string;
};

const TITLES = ['OBJECT', 'READY', 'STATUS', 'DETAIL'] as const;
/** What the usual terminal has. */
const COLUMNS = 80;
/** Of the last column, however wide the others are. */
const DETAIL_MIN = 26;
/** Rows that a detail may take. */
const ROWS_MAX = 4;

/** The tree, the conditions that say something, and the next step. */
export function statusText(family: Family, how: { nowMs: number; paint: Paint }): string {
  const { nowMs, paint } = how;
  const lines = [...formLines(family, nowMs), ...keyLines(family, nowMs), storeLine(family)];
  const room = roomFor(lines);
  const rows = lines.flatMap((each) => rowsOf(each, room));
  const tree = table(TITLES, rows, paint);
  return [tree, conditionsText(family), nextText(family)].filter((part) => part !== '').join('\n');
}

/** Columns that are left for the last one. */
function roomFor(lines: readonly Line[]): number {
  const texts = lines.map(({ depth, cells: [object, ready, status] }) => [
    depth + visible(object),
    ready,
    typeof status === 'string' ? status : status.text,
  ]);
  const widths = [0, 1, 2].map((at) =>
    Math.max(...[TITLES, ...texts].map((row) => widthOf(row[at] ?? ''))),
  );
  const taken = widths.reduce((sum, width) => sum + width + 3, 0);
  return Math.max(DETAIL_MIN, COLUMNS - taken);
}

function rowsOf({ depth, cells: [object, ready, status], detail }: Line, room: number): Cell[][] {
  const [first = '', ...more] = wrapTo(visible(detail), room);
  const shown = more.slice(0, ROWS_MAX - 1);
  const last = more.length > shown.length ? '…' : '';
  // The line of the tree goes on beside what goes on.
  const lead = depth.startsWith('└') ? '' : '│';
  return [
    [{ text: object, lead: depth }, ready, status, first],
    ...shown.map((text, at): Cell[] => [
      { text: '', lead },
      '',
      '',
      at === shown.length - 1 ? text + last : text,
    ]),
  ];
}

function formLines({ form }: Family, nowMs: number): readonly Line[] {
  if (form === undefined) return [];
  const ready = conditionOf(form.status, 'Ready');
  const cells = line('ApiKeyApplication', form, ready);
  return [{ depth: '', cells, detail: formDetail(form, nowMs) }];
}

function formDetail({ status }: Form, nowMs: number): string {
  const { round, grant, state } = status ?? {};
  const parts = [
    round === undefined ? '' : `${round.type} round ${round.number}: ${state ?? 'Unknown'}`,
    state === 'Pending' ? asksText(round?.changes, 40) : '',
    state === 'Pending' ? `submitted ${agoText(round?.submittedTime, nowMs)}` : '',
    grant === undefined || grant.state === 'None' ? '' : `grant ${grant.state}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function keyLines({ form, key, uses }: Family, nowMs: number): readonly Line[] {
  const depth = form === undefined ? '' : '├─ ';
  if (key === undefined) {
    const name = form?.status?.apiKeyRef?.name ?? form?.spec.apiKeyRef?.name ?? form?.metadata.name;
    if (name === undefined) return [];
    return [{ depth, cells: [`ApiKey/${name}`, '', 'not there'], detail: '' }];
  }
  const ready = conditionOf(key.status, 'Ready');
  const own = { depth, cells: line('ApiKey', key, ready), detail: keyDetail(key, nowMs) };
  const [middle, last] = form === undefined ? ['├─ ', '├─ '] : ['│  ├─ ', '│  └─ '];
  const used = usesText(key.status?.quota, uses, nowMs);
  return [own, ...usesLine(key, used, middle), secretLine(key, last)];
}

function usesLine(key: Key, used: string, depth: string): readonly Line[] {
  if (used === '') return [];
  const state: Cell = isUsedUp(key) ? { text: 'UsedUp', tone: 'Bad' } : '';
  return [{ depth, cells: ['uses', '', state], detail: used }];
}

function isUsedUp(key: Key | undefined): boolean {
  const { limit = 0, remaining } = key?.status?.quota ?? {};
  return limit > 0 && remaining === 0;
}

function keyDetail({ status = {} }: Key, nowMs: number): string {
  const { keyId = '' } = status;
  const parts = [
    keyId,
    inText('expires', status.expirationTime, nowMs),
    inText('previous values retire', status.previous?.retireTime, nowMs),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function inText(what: string, time: string | undefined, nowMs: number): string {
  const atMs = parseTime(time ?? '');
  return atMs === undefined ? '' : `${what} in ${spanText(atMs - nowMs)}`;
}

/** Told from the key's own status: no Secret is read for it. */
function secretLine(key: Key, depth: string): Line {
  const { spec, status, metadata } = key;
  const synced = conditionOf(status, 'SecretSynced');
  const name = status?.binding?.name;
  const wanted = name ?? spec.secret?.name ?? metadata.name;
  const state = synced?.reason ?? (name === undefined ? 'not written' : 'Written');
  const entries = (status?.fields ?? []).join(', ');
  const detail = name === undefined ? '' : `entries ${entries}`;
  return { depth, cells: [`Secret/${wanted}`, '', { text: state, tone: toneOf(state) }], detail };
}

function storeLine({ form, key, store }: Family): Line {
  const ref = key?.status?.storeRef ?? storeOf(form?.spec ?? key?.spec ?? {});
  const object = `${ref.kind}/${ref.name}`;
  const depth = '└─ ';
  if (store === undefined) return { depth, cells: [object, '', 'not visible to you'], detail: '' };
  return { depth, cells: line(ref.kind, store, conditionOf(store.status, 'Ready')), detail: '' };
}

type Shown = { readonly status: string; readonly reason: string; readonly message: string };

function line(
  kind: string,
  object: { readonly metadata: { readonly name: string } },
  ready: Shown | undefined,
): Line['cells'] {
  const { status = 'Unknown', reason = 'Pending' } = ready ?? {};
  return [`${kind}/${object.metadata.name}`, status, { text: reason, tone: toneOf(reason) }];
}

/** Conditions that say by True that all is well. */
const FINE =
  /^(Ready|Submitted|Approved|Effective|Registered|SecretSynced|StoreSynced|SpecSupported|Durable)$/;

/** Every condition that has something to say; Stalled repeats Ready. */
function conditionsText({ form, key, store }: Family): string {
  const parts = [
    ['ApiKeyApplication', form] as const,
    ['ApiKey', key] as const,
    ['store', store] as const,
  ];
  return parts
    .flatMap(([kind, object]) =>
      (object?.status?.conditions ?? [])
        .filter(({ type, status }) => type !== 'Stalled' && !(status === 'True' && FINE.test(type)))
        .map(
          ({ type, status, reason, message }) =>
            `${kind} ${visible(`${type}=${status} ${reason}`)}\n${barred(message)}`,
        ),
    )
    .join('');
}

/** One sentence: of what is not well, the first that somebody can do something about. */
function nextText({ form, key, store }: Family): string {
  const readies = [
    ['KeyStore', conditionOf(store?.status, 'Ready')] as const,
    ['ApiKeyApplication', conditionOf(form?.status, 'Ready')] as const,
    ['ApiKey', conditionOf(key?.status, 'Ready')] as const,
  ];
  const troubles = readies.filter(([, ready]) => ready !== undefined && ready.status !== 'True');
  const changing = readies.filter(([, ready]) => ready?.reason === 'ChangePending');
  for (const [kind, ready] of [...troubles, ...changing]) {
    if (ready === undefined) continue;
    const meanings = meaningsOfWord(ready.reason);
    const fits = ({ kinds, condition }: (typeof meanings)[number]): boolean =>
      condition === 'Ready' && kinds.split(', ').includes(kind);
    return next(meanings.find(fits)?.sentence ?? `keyward explain ${visible(ready.reason)}`);
  }
  const [usedUp] = meaningsOfWord('QuotaUsedUp');
  if (usedUp !== undefined && isUsedUp(key)) return next(usedUp.sentence);
  return next('nothing; all is well');
}

function next(sentence: string): string {
  return `${wrapTo(`next: ${sentence}`, COLUMNS).join('\n      ')}\n`;
}
