/** The steps of the story, in order. Each stands on those before it. */
import type { Settings } from './settings.ts';
import type { Step } from './step.ts';
import { install } from './steps/install.ts';
import { leaks } from './steps/leaks.ts';
import { installReplicas, leaderKilled, rollingUpgrade } from './steps/replicas.ts';
import { restart } from './steps/restart.ts';
import { rotation } from './steps/rotation.ts';
import { deleted, drained, killed } from './steps/trouble.ts';
import { goodbye, orphaned, reinstall, uninstall } from './steps/uninstall.ts';
import { upgrade } from './steps/upgrade.ts';
import { calls, firstKey } from './steps/workload.ts';

/** From installation to uninstallation, by where the ledger is. */
export const STORIES: Readonly<Record<Settings['database'], readonly Step[]>> = {
  sqlite: [
    install,
    firstKey,
    calls,
    rotation,
    restart,
    killed,
    deleted,
    drained,
    upgrade,
    leaks,
    uninstall,
    orphaned,
    reinstall,
    goodbye,
  ],
  postgres: [
    installReplicas,
    firstKey,
    calls,
    rotation,
    restart,
    leaderKilled,
    rollingUpgrade,
    leaks,
    goodbye,
  ],
};
