/** The environment of the process. The only reader of process.env. */
import type { Environment } from './layers.ts';

/** Variables as they are now. */
export function environment(): Environment {
  return process.env;
}
