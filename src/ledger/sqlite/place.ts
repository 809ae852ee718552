/** Where the file of a SQLite ledger lies on this machine. */
import { lstatSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { terminal } from '../refusals.ts';
import { parseSqliteUrl } from './location.ts';

/** What is added to the name of a database: for a copy on its way into its place, */
export const RESTORING = '.restoring';
/** and for what was there before; a time follows. */
export const BEFORE = '.before-';

/**
 * The absolute path of the file that a `sqlite:` URL names, there or not. A link is followed: lock, log and
 * requests lie beside the file, so all who use it must call it by the same name.
 *
 * @throws KeywardError Terminal DatabaseUrlInvalid; DatabaseMissing for a link to a file that is not there
 */
export function placeOf(url: string): string {
  const path = resolve(parseSqliteUrl(url));
  if (!isLink(path)) return path;
  try {
    return realpathSync(path);
  } catch (cause) {
    // Made anew, it would take the place of the link, and not be where it was looked for.
    throw terminal(
      'DatabaseMissing',
      `database "${path}" is a link to a file that is not there; is its volume mounted?`,
      cause,
    );
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    // Not there, or not to be reached; whoever opens it says so.
    return false;
  }
}
