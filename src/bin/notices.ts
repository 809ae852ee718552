/** Composition of the webhook: the leader tells one receiver what happens to forms. */
import { readGivenFile } from '../config/givenfile.ts';
import type { WebhookConfig } from '../config/operator.ts';
import type { Deps } from '../controllers/apikey/deps.ts';
import { createNoticeMetrics } from '../controllers/notices/metrics.ts';
import { ledgerPosition } from '../controllers/notices/position.ts';
import { parseSecrets } from '../controllers/notices/signature.ts';
import { NoticeWorker } from '../controllers/notices/worker.ts';
import type { Registry } from '../kernel/metrics.ts';

/**
 * Starts the worker, where a webhook is configured; it ends with `stop`.
 *
 * @throws KeywardError Terminal WebhookSecretInvalid, or InvalidConfiguration when the file cannot be read
 */
export async function startNotices(parts: {
  readonly deps: Pick<Deps, 'ledger' | 'clock' | 'clusterId' | 'epoch' | 'log'>;
  readonly webhook: WebhookConfig | undefined;
  readonly registry: Registry;
  readonly stop: AbortSignal;
}): Promise<void> {
  const { deps, webhook, registry, stop } = parts;
  if (webhook === undefined) return;
  const secrets = async () =>
    parseSecrets(await readGivenFile('--webhook-secret-file', webhook.secretFile));
  // A mistake in the file shows at the start, not at the first notice.
  await secrets();
  const worker = new NoticeWorker({
    ...deps,
    position: ledgerPosition(deps),
    receiver: { url: webhook.url, secrets },
    metrics: createNoticeMetrics(registry),
  });
  void worker.run(stop);
}
