/** Which drivers there are: one line each. */
import { builtinDriver } from './builtin/driver.ts';
import type { Driver } from './contract.ts';

/** KeyStore.spec.type to driver. */
export const drivers: ReadonlyMap<string, Driver> = new Map([[builtinDriver.type, builtinDriver]]);
