/** How a wrong setting is told. Pure. */
import { KeywardError } from '../kernel/errors.ts';

/** Terminal InvalidConfiguration; `message` is a sentence that names the setting and what it takes. */
export function invalid(message: string): KeywardError {
  return new KeywardError('Terminal', { reason: 'InvalidConfiguration', message });
}
