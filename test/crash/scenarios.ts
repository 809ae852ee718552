/** All scenarios of the crash matrix. */
import { FORM_SCENARIOS } from './formscenarios.ts';
import { KEY_SCENARIOS } from './keyscenarios.ts';
import type { Scenario } from './scenario.ts';

/** See the file comment. */
export const SCENARIOS: readonly Scenario[] = [...KEY_SCENARIOS, ...FORM_SCENARIOS];
