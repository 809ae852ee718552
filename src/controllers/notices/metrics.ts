/** What is counted of notices. */
import { Counter, type Registry } from '../../kernel/metrics.ts';
import type { Delivery } from './delivery.ts';

/** Counters of the notice worker. */
export type NoticeMetrics = {
  attempted(result: Delivery['type']): void;
  gaveUp(): void;
};

/** Registers them; once per process. */
export function createNoticeMetrics(registry: Registry): NoticeMetrics {
  const attempts = new Counter({
    name: 'keyward_notice_deliveries_total',
    help: 'Attempts to deliver a notice to the webhook, by result.',
    labelNames: ['result'],
    registers: [registry],
  });
  const givenUp = new Counter({
    name: 'keyward_notices_given_up_total',
    help: 'Notices that the webhook refused again and again, or that became too old.',
    registers: [registry],
  });
  return {
    attempted: (result) => attempts.inc({ result }),
    gaveUp: () => givenUp.inc(),
  };
}
