/** The randomness port: handed in, so that tests and the explorer are repeatable. */
import { randomBytes, randomFillSync } from 'node:crypto';

/** `size` fresh random bytes. */
export type Entropy = (size: number) => Buffer;

/**
 * Drawn at once: asking the generator costs more than what it hands out. What waits here becomes
 * key material, so it is little, and each byte is wiped when it is handed out.
 */
const POOL_BYTES = 1_024;
const pool = Buffer.alloc(POOL_BYTES);
let usedBytes = POOL_BYTES;

/** The system's generator. Only `bin` may hand it out. */
export const systemEntropy: Entropy = (size) => {
  if (size > POOL_BYTES) return randomBytes(size);
  if (usedBytes + size > POOL_BYTES) {
    randomFillSync(pool);
    usedBytes = 0;
  }
  const drawn = pool.subarray(usedBytes, usedBytes + size);
  const bytes = Buffer.from(drawn);
  drawn.fill(0);
  usedBytes += size;
  return bytes;
};
