/** The steps on the stage, in order. */
import type { Stage } from './stage.ts';
import type { Step } from './step.ts';
import { auditChain, noLeaks } from './steps/books.ts';
import { deletion, revocation } from './steps/end.ts';
import { defaultStore, firstKey } from './steps/issue.ts';
import { leak, plannedRotation } from './steps/rotate.ts';
import { foreignSecret, lostSecret } from './steps/secrets.ts';
import { keyPair, limits, template } from './steps/shapes.ts';
import { suspension } from './steps/suspend.ts';
import { expiry, notYetValid } from './steps/validity.ts';
import { digirunner } from './forms/digirunner.ts';
import type { FormsName } from './forms/name.ts';
import { visitSeoul } from './forms/visitseoul.ts';
import { gateSteps } from './gate/steps.ts';
import type { Timeline } from './timeline.ts';
import { vendorSteps } from './vendor/walk.ts';

const BUILTIN: readonly Step[] = [
  defaultStore,
  firstKey,
  plannedRotation,
  leak,
  suspension,
  lostSecret,
  foreignSecret,
  keyPair,
  limits,
  template,
  notYetValid,
  expiry,
  revocation,
  deletion,
  auditChain,
  noLeaks,
];

const STORIES: Readonly<Record<FormsName, readonly Step[]>> = {
  visitseoul: visitSeoul,
  digirunner,
};

/** Walks through all of them. @throws Unmet at the first that did not see its evidence */
export async function walk(stage: Stage, timeline: Timeline): Promise<void> {
  for (const { title, short, run } of stepsOn(stage))
    await timeline.step(title, short, () => run(stage));
}

function stepsOn({ vendor, forms, chain }: Stage): readonly Step[] {
  if (chain !== undefined) return [...gateSteps(chain), auditChain, noLeaks];
  if (forms !== undefined) return [...STORIES[forms], auditChain, noLeaks];
  return vendor === undefined ? BUILTIN : [...vendorSteps(vendor), auditChain, noLeaks];
}
