/** Pays what is owed to vendors, a round a minute, while this replica leads. */
import { payDebts, type DebtDeps } from '../controllers/debts/pay.ts';
import { sleep, systemClock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import { Counter, Gauge, type Registry } from '../kernel/metrics.ts';
import { MINUTE_MS } from '../kernel/time.ts';

/** Starts the loop; it ends with `stop` and never throws. Once per registry. */
export function startPaying(deps: DebtDeps, registry: Registry, stop: AbortSignal): void {
  const registers = [registry];
  const left = new Gauge({
    name: 'keyward_debts',
    help: 'Credentials of keys that are gone and that must still be ended at their vendor.',
    registers,
  });
  const paid = new Counter({
    name: 'keyward_debts_paid_total',
    help: 'Credentials that were ended at their vendor after their keys were gone.',
    registers,
  });
  void payForever(deps, stop, (round) => {
    left.set(round.left);
    paid.inc(round.paid);
  });
}

async function payForever(
  deps: DebtDeps,
  stop: AbortSignal,
  tell: (round: { readonly paid: number; readonly left: number }) => void,
): Promise<void> {
  while (!stop.aborted) {
    try {
      // One round after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      tell(await payDebts(deps, stop));
      // oxlint-disable-next-line no-await-in-loop
      await sleep(systemClock, MINUTE_MS, stop);
    } catch (error) {
      if (stop.aborted) return;
      deps.log.warn('Debts could not be looked at; tried again later', {
        reason: classify(error).reason,
      });
      // oxlint-disable-next-line no-await-in-loop
      await sleep(systemClock, MINUTE_MS, stop).catch(() => undefined);
    }
  }
}
