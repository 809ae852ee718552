/** What is shown when a step did not see its evidence. */
import type { Screen } from '../demo/screen.ts';
import { SHOP, SYSTEM, type Stage } from './stage.ts';

const OPERATOR = 'app.kubernetes.io/component=operator';
const LOG_LINES = '--tail=15';
const EVENT_LINES = 20;

/** The reason, and what the cluster knows about it: pods, events, the operator's last words. */
export async function explain(screen: Screen, stage: Stage | undefined, err: unknown) {
  screen.line('');
  screen.failure(err instanceof Error ? err.message : String(err));
  if (stage === undefined) return;
  const show = async (...args: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await stage.try(args).catch(() => ({ stdout: '', stderr: '' }));
    screen.command(`kubectl ${args.join(' ')}`);
    screen.block((stdout + stderr).trimEnd().split('\n').slice(-EVENT_LINES).join('\n'));
  };
  await show('get', 'pods', '-A', '-o', 'wide');
  await show('get', 'events', '-A', '--sort-by=.lastTimestamp');
  await show('-n', SYSTEM, 'logs', '-l', OPERATOR, '-c', 'operator', LOG_LINES);
  await show('-n', SHOP, 'logs', 'deploy/gateway', LOG_LINES);
  await show('-n', SHOP, 'logs', 'deploy/checkout', LOG_LINES);
}
