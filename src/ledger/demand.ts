/** Refuses changes of records that are not legal in their state. Pure. */
import { refText } from '../api/meta.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { FormRecord } from './form.ts';
import type { KeyRecord } from './record.ts';

/** @throws KeywardError Bug: the caller asked for a change that is not legal in this state */
export function demand(
  holds: boolean,
  record: KeyRecord | FormRecord,
  rule: string,
): asserts holds {
  if (holds) return;
  const kind = 'credentials' in record ? 'ApiKey' : 'ApiKeyApplication';
  throw new KeywardError('Bug', {
    reason: 'IllegalTransition',
    message: `${kind} ${refText(record)}: illegal ledger transition: ${rule}`,
  });
}
