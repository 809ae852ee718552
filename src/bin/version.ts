/** Which program this is. */

/** The version of this build, as in package.json; a test keeps them equal. */
export const VERSION = '0.1.0';

/** Put in place by tools/bundle.ts; not there when the program runs from its sources. */
declare const KEYWARD_COMMIT: string | undefined;

/** The commit this build was made from; undefined when that is not known. */
export const COMMIT: string | undefined =
  typeof KEYWARD_COMMIT === 'string' ? KEYWARD_COMMIT : undefined;

/**
 * What `keyward version` prints: one fact a line, a word and its value.
 *
 * @param nodeVersion as in process.versions
 */
export function versionText(commit: string | undefined, nodeVersion: string): string {
  const facts = [
    ['keyward', VERSION],
    ...(commit === undefined ? [] : [['commit', commit]]),
    ['node', nodeVersion],
  ];
  return facts.map((fact) => fact.join(' ')).join('\n');
}
