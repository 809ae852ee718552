/** The randomness port: handed in, so that tests and the explorer are repeatable. */
import { randomBytes } from 'node:crypto';

/** `size` fresh random bytes. */
export type Entropy = (size: number) => Buffer;

/** The system's generator. Only `bin` may hand it out. */
export const systemEntropy: Entropy = (size) => randomBytes(size);
