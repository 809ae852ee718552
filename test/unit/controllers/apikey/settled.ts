/** Keys that were issued and need nothing, as the start of what a plan is asked. */
import { wantedLayout, type Action } from '../../../../src/controllers/apikey/actions.ts';
import { nextAction } from '../../../../src/controllers/apikey/plan.ts';
import { shapeOf } from '../../../../src/controllers/apikey/secret.ts';
import type { World } from '../../../../src/controllers/apikey/world.ts';
import { aKey, aRecord, aSpec, aWorld } from '../../../support/world.ts';

/** The Secret is there, in the shape its layout asks for. */
export function settled(change: Partial<World> = {}): World {
  return shaped(
    aWorld({
      record: aRecord(),
      secret: { type: 'Present', uid: 'secret-1', resourceVersion: '20' },
      ...change,
    }),
  );
}

/** The world with its Secret written as its layout asks for now. */
export function shaped(world: World): World {
  const layout = wantedLayout(world);
  const { record } = world;
  if (layout === undefined || record?.secret === undefined) return world;
  return { ...world, record: { ...record, secret: { ...record.secret, shape: shapeOf(layout) } } };
}

/** The settled key with a spec that asks for something. */
export function asked(spec: Parameters<typeof aSpec>[0], change: Partial<World> = {}): World {
  return settled({ key: aKey({ spec: aSpec(spec) }), ...change });
}

/** What the plan does next. */
export function typeOf(world: World): Action['type'] | 'nothing' {
  return nextAction(world)?.type ?? 'nothing';
}
