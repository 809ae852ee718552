/** Standard input as a whole, of a bearable length. */
import { usageError } from '../cli/exit.ts';
import { Sensitive } from '../kernel/sensitive.ts';

/** @param max bytes @throws KeywardError Terminal Usage */
export async function readInput(max: number): Promise<Sensitive> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > max) {
      throw usageError('standard input is longer than any key');
    }
    chunks.push(bytes);
  }
  const all = Buffer.concat(chunks);
  const input = new Sensitive(all);
  for (const part of [all, ...chunks]) part.fill(0);
  return input;
}
