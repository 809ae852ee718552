/** What is being built: the commit and its time, from the environment or from Git. */
import { execFileSync } from 'node:child_process';

/** Environment variables by name, as in process.env. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The commit in 12 digits, with `-dirty` where tracked files differ from it. `KEYWARD_COMMIT` wins, for
 * builds that do not see the repository's history. Undefined when neither is there.
 */
export function commitOf(root: string, env: Environment): string | undefined {
  const said = env['KEYWARD_COMMIT'];
  if (said !== undefined && said !== '') return said.replace(/^([0-9a-f]{12})[0-9a-f]+/, '$1');
  const commit = git(root, ['rev-parse', '--short=12', 'HEAD']);
  if (commit === undefined) return undefined;
  const changes = git(root, ['status', '--porcelain', '--untracked-files=no']);
  return changes === '' ? commit : `${commit}-dirty`;
}

/**
 * The time that stands in what is built, in milliseconds: `SOURCE_DATE_EPOCH`, else that of the
 * commit, else 0. Never the time of the build, so that the same sources give the same bytes.
 */
export function sourceTimeMs(root: string, env: Environment): number {
  const seconds = env['SOURCE_DATE_EPOCH'] || git(root, ['log', '-1', '--format=%ct']) || '0';
  if (!/^\d{1,11}$/.test(seconds)) {
    throw new Error(`SOURCE_DATE_EPOCH takes seconds since 1970, not '${seconds}'`);
  }
  return Number(seconds) * 1_000;
}

/** Undefined where there is no Git or no repository. */
function git(root: string, args: readonly string[]): string | undefined {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: [...stdio] }).trim();
  } catch {
    return undefined;
  }
}
