/** What the API server itself counted. */
import type { Stage } from './stage.ts';

const LINE = /^apiserver_request_total\{([^}]*)\} (\S+)$/gm;
const WRITE = /verb="(POST|PUT|PATCH|APPLY|DELETE)"/;
const OF_KEYS = /resource="(secrets|apikeys)"/;
const DRY_RUN = /dry_run="[^"]/;

/**
 * Writes to Secrets and ApiKeys so far, by anybody, refused ones included; undefined on a cluster
 * that others use too.
 */
export async function countWrites(stage: Stage): Promise<number | undefined> {
  if (stage.cluster.origin !== 'Own') return undefined;
  const page = await stage.ask(['get', '--raw', '/metrics']);
  return [...page.matchAll(LINE)]
    .filter(([, labels = '']) => WRITE.test(labels) && OF_KEYS.test(labels))
    .filter(([, labels = '']) => !DRY_RUN.test(labels))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}
