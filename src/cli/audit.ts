/** `keyward audit list`: who did what, newest first, out of the audit chain. */
import { formatTime } from '../kernel/time.ts';
import type { AuditLine, Ledger } from '../ledger/port.ts';
import { usageError } from './exit.ts';
import { table, type Output } from './output.ts';

/** How many lines where nobody says. */
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 100_000;
const PAGE = 1_000;
const TITLES = ['NUMBER', 'TIME', 'ACTOR', 'ACTION', 'UID', 'FACTS'];

/** Which lines. */
type AuditChoice = {
  readonly limit: number;
  /** Only of the key, form, review or client of this UID. */
  readonly uid?: string;
};

/** A line as programs read it. */
type PrintedLine = Omit<AuditLine, 'atMs'> & { readonly time: string };

/**
 * The value of `--limit`; absent: 50.
 *
 * @throws KeywardError Terminal Usage
 */
export function parseLimit(said: unknown): number {
  if (said === undefined) return LIMIT_DEFAULT;
  const limit = typeof said === 'string' && /^\d{1,6}$/.test(said) ? Number(said) : 0;
  if (limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw usageError(`--limit takes a number from 1 to ${LIMIT_MAX}`);
}

/** The lines, newest first. @throws KeywardError of the ledger */
export async function readAudit(
  ledger: Pick<Ledger, 'auditLines'>,
  { limit, uid }: AuditChoice,
): Promise<readonly PrintedLine[]> {
  const lines: PrintedLine[] = [];
  while (lines.length < limit) {
    const wanted = Math.min(PAGE, limit - lines.length);
    const before = lines.at(-1)?.number;
    // Each page begins where the one before ended.
    // oxlint-disable-next-line no-await-in-loop
    const page = await ledger.auditLines({
      limit: wanted,
      ...(before === undefined ? {} : { before }),
      ...(uid === undefined ? {} : { uid }),
    });
    lines.push(...page.map(printed));
    if (page.length < wanted) break;
  }
  return lines;
}

/** Prints them as a table; none is no error. */
export function printAudit(lines: readonly PrintedLine[], output: Output): void {
  if (lines.length === 0) {
    output.note('no entries\n');
    return;
  }
  const rows = lines.map(({ number, time, actor, action, uid, facts }) => [
    String(number),
    time,
    actor,
    action,
    uid === '' ? '<database>' : uid,
    factsText(facts),
  ]);
  output.data(table(TITLES, rows));
}

function printed({ number, atMs, actor, action, uid, facts }: AuditLine): PrintedLine {
  return { number, time: formatTime(atMs), actor, action, uid, facts };
}

/** `name=value` each; a value that could be taken for two facts stands in quotes. */
function factsText(facts: AuditLine['facts']): string {
  return Object.entries(facts)
    .map(([name, value]) => {
      const isPlain = typeof value !== 'string' || /^[^\s"=]+$/u.test(value);
      return `${name}=${isPlain ? String(value) : JSON.stringify(value)}`;
    })
    .join(' ');
}
