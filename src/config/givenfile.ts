/** Files that settings name. */
import { readFile } from 'node:fs/promises';
import { systemCode } from '../kernel/files.ts';
import { invalid } from './problem.ts';

/**
 * The text of a file.
 *
 * @param setting as messages name it, such as `--config`
 * @throws KeywardError Terminal InvalidConfiguration, with the system's code and nothing of the content
 */
export async function readGivenFile(setting: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw invalid(`${setting}: ${path} cannot be read (${systemCode(cause) ?? 'unknown'})`);
  });
}
