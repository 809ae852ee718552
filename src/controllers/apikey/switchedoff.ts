/** What status says of a key that its own spec switches off. Pure. */
import type { KeyRecord } from '../../ledger/record.ts';
import type { Finding } from './finding.ts';
import { stillOn } from './remote/status.ts';
import type { ApiKeyView } from './world.ts';

/**
 * Whether the key is off as its spec asks, whatever else is wrong. One that may still work at a vendor, as where
 * its store is gone or cannot switch off, is not: of that the finding says more.
 */
export function isSwitchedOff({ spec }: ApiKeyView, record: KeyRecord | undefined): boolean {
  const isOff = record?.state === 'Suspended' && record.phase === 'Live' && stillOn(record) === '';
  return isOff && spec.state === 'Suspended';
}

/**
 * Ready of such a key.
 * @param finding what would keep it from working if it were switched on; undefined: nothing
 */
export function switchedOff(record: KeyRecord | undefined, finding: Finding | undefined): Finding {
  const message = `the key is switched off; set spec.state to Active${stillOn(record)}`;
  const besides = finding === undefined ? '' : `; besides, ${finding.message}`;
  return { reason: 'Suspended', message: message + besides };
}
