/** Which drivers there are: one line each. */
import { builtinDriver } from './builtin/driver.ts';
import type { Driver } from './contract.ts';
import { naverDriver } from './naver/driver.ts';
import { solapiDriver } from './solapi/driver.ts';

/** KeyStore.spec.type to driver. */
export const drivers: ReadonlyMap<string, Driver> = new Map(
  [builtinDriver, naverDriver, solapiDriver].map((driver) => [driver.type, driver]),
);
