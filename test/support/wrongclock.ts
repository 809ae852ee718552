/** The program as it is, on a machine whose clock is a day ahead until SIGUSR2 sets it right. */
import { DAY_MS } from '../../src/kernel/time.ts';

const trueNowMs = Date.now;
let aheadMs = DAY_MS;
Date.now = () => trueNowMs() + aheadMs;
process.on('SIGUSR2', () => (aheadMs = 0));
await import('../../src/bin/keyward.ts');
