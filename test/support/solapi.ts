/** Runs SOLAPI's own client for Node.js against a server of ours. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import type { ClientOutcome } from './solapi.client.ts';

const PROGRAM = join(import.meta.dirname, 'solapi.client.ts');

/**
 * One call of the client; it signs with a fresh date and salt, once more for each attempt.
 *
 * @param url whom it shall take for the vendor; the path it asks for is `/cash/v1/balance`
 * @param zone decides how it writes its dates: `UTC` with Z, others with an offset
 */
export async function callAsSolapi(
  url: string,
  signer: { readonly apiKey: string; readonly apiSecret: string },
  zone: 'UTC' | 'Asia/Seoul',
): Promise<ClientOutcome> {
  const args = [PROGRAM, url, signer.apiKey, signer.apiSecret];
  const env = { PATH: '', TZ: zone };
  const { stdout } = await promisify(execFile)(execPath, args, { env });
  // Its last line is the outcome; it was written by the program beside this file.
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ClientOutcome;
}
