/** A repeatable generator for tests: SHA-256 in counter mode over a seed. */
import { createHash } from 'node:crypto';
import type { Entropy } from '../../../src/kernel/entropy.ts';

/** Entropy that yields the same bytes for the same seed. */
export function seeded(seed: string): Entropy {
  let counter = 0;
  return (size) => {
    const blocks: Buffer[] = [];
    for (let length = 0; length < size; length += 32) {
      blocks.push(createHash('sha256').update(`${seed}/${counter++}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, size);
  };
}
