/** Which drivers there are: one line each. */
import { builtinDriver } from './builtin/driver.ts';
import type { Driver } from './contract.ts';
import { naverDriver } from './naver/driver.ts';

/** KeyStore.spec.type to driver. */
export const drivers: ReadonlyMap<string, Driver> = new Map(
  [builtinDriver, naverDriver].map((driver) => [driver.type, driver]),
);
