/** The program as it is, that also knows the awkward drivers. Runs like src/bin/keyward.ts. */
import type { Driver } from '../../../src/stores/contract.ts';
import { drivers } from '../../../src/stores/registry.ts';
import { awkwardDriver } from './driver.ts';

// Read-only to everybody, and a Map all the same: only this file, which no product loads, adds to it.
const registry = drivers as Map<string, Driver>;
for (const kind of ['O', 'I', 'X'] as const) {
  const driver = awkwardDriver(kind);
  registry.set(driver.type, driver);
}
await import('../../../src/bin/keyward.ts');
