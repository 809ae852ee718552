/** What the changes of a FormRecord share. Pure. */
import { KeywardError } from '../kernel/errors.ts';
import type { FormRecord } from './form.ts';

/** @throws KeywardError Bug: the caller asked for a change that is not legal in this state */
export function demand(holds: boolean, form: FormRecord, rule: string): asserts holds {
  if (holds) return;
  throw new KeywardError('Bug', {
    reason: 'IllegalTransition',
    message: `ApiKeyApplication ${form.namespace}/${form.name}: illegal ledger transition: ${rule}`,
  });
}
