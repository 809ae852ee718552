/** What all of a form's status is worked out from, once. Pure. */
import { identify, type Identity } from './identity.ts';
import { standingOf, type Standing } from './standing.ts';
import { wishOf, type Wish } from './wish.ts';
import type { FormView, World } from './world.ts';

/** See the file comment. */
export type Picture = {
  readonly world: World;
  readonly form: FormView;
  readonly identity: Identity;
  readonly wish: Wish;
  readonly standing: Standing | undefined;
};

/** The picture of a form; undefined where there is no object. */
export function pictureOf(world: World): Picture | undefined {
  const { form } = world;
  if (form === undefined) return undefined;
  const identity = identify(world);
  const wish: Wish = identity.type === 'Noted' ? wishOf(world) : { type: 'Nothing' };
  return { world, form, identity, wish, standing: standingOf(world) };
}

/** What is in the way of the newest edit; undefined: nothing. */
export function incomplete({ wish }: Picture): Extract<Wish, { type: 'Incomplete' }> | undefined {
  const left = wish.type === 'TakeBack' ? wish.rest : wish;
  return left.type === 'Incomplete' ? left : undefined;
}
