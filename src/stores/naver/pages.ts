/**
 * Lists by offset and limit, so that a page that shifts while others create and delete hides nothing.
 * Two means: each page begins with the last entry of the one before, so that a shift to the left shows
 * as a gap; and passes are repeated until one without a gap brings nothing new.
 */
import { StoreFailure } from '../contract.ts';
import { garbled, type Page } from './wire.ts';

/** Entries asked for at once. The vendor may give fewer: what counts is what came. */
export const PAGE_LIMIT = 100;

const PASSES_MAX = 6;
/** 100 000 entries; more means that the vendor's offsets lead nowhere. */
const PAGES_MAX = 1_000;
/** The same for pages that are longer than was asked for. */
const ENTRIES_MAX = PAGES_MAX * PAGE_LIMIT;

/** Asks for one page. */
export type PageReader<Entry> = (range: {
  readonly offset: number;
  readonly limit: number;
}) => Promise<Page<Entry>>;

type Identified = { readonly id: string };
type Pass = { readonly isWhole: boolean; readonly pages: number };

/**
 * Every entry that was there from beginning to end, as seen last; one that came or went meanwhile may
 * be among them. @throws StoreFailure Unavailable when the list never held still
 */
export async function readAll<Entry extends Identified>(
  read: PageReader<Entry>,
): Promise<readonly Entry[]> {
  const seen = new Map<string, Entry>();
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    const before = seen.size;
    // Each pass depends on what the one before found.
    // oxlint-disable-next-line no-await-in-loop
    const { isWhole, pages } = await readOnce(read, seen);
    // What fits on one page was seen at one instant.
    if (isWhole && (pages === 1 || (pass > 0 && seen.size === before))) return [...seen.values()];
  }
  throw new StoreFailure('Unavailable', {
    message: `the list of the vendor changed each of the ${PASSES_MAX} times that it was read`,
  });
}

async function readOnce<Entry extends Identified>(
  read: PageReader<Entry>,
  seen: Map<string, Entry>,
): Promise<Pass> {
  let last: string | undefined;
  for (let pages = 1, offset = 0; pages <= PAGES_MAX; pages += 1) {
    // A page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const { entries, total } = await read({ offset, limit: PAGE_LIMIT });
    const isJoined = last === undefined || entries.some(({ id }) => id === last);
    for (const entry of entries) seen.set(entry.id, entry);
    if (seen.size > ENTRIES_MAX) break;
    if (!isJoined) return { isWhole: false, pages };
    // Without a total only a page that holds nothing but the overlap is the end.
    const isEnd = total === undefined ? entries.length <= 1 : offset + entries.length >= total;
    if (isEnd || entries.length <= 1) return { isWhole: isEnd, pages };
    last = entries.at(-1)?.id;
    offset += entries.length - 1;
  }
  throw garbled('a list without end');
}
