/** Pure; from the spec of a KeyStore to its driver. */
import type { Driver, StoreHandle } from './contract.ts';

/** The part of a KeyStore spec that is looked at. */
export type StoreSpec = { readonly type: string };

/** The driver's member of a spec: the one with the type's name and a small first letter. */
export function memberOf(spec: StoreSpec): Readonly<Record<string, unknown>> {
  const name = spec.type.charAt(0).toLowerCase() + spec.type.slice(1);
  const member: unknown = Object.entries(spec).find(([field]) => field === name)?.[1] ?? {};
  // The API server checked the member against the driver's own schema.
  return member as Readonly<Record<string, unknown>>;
}

/** The driver's handle for a store spec, or why there is none. */
export function openHandle(
  drivers: ReadonlyMap<string, Driver>,
  spec: StoreSpec,
): StoreHandle | { readonly problem: string } {
  const driver = drivers.get(spec.type);
  if (driver === undefined) return { problem: `spec.type '${spec.type}' has no driver here` };
  return driver.open(memberOf(spec));
}
