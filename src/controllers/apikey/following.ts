/** The rules by which the record follows state and terms of the spec; both need nobody but the ledger. Pure. */
import { newBelonging } from './belonging.ts';
import { withTerms, type Rule } from './actions.ts';
import { wantedState } from './wanted.ts';

/** Suspending, resuming and revoking come before everything that makes or moves values. */
export const followState: Rule = (world) => {
  const { key, record } = world;
  if (key === undefined || record === undefined) return undefined;
  const state = wantedState(world, key);
  return record.state === state ? undefined : { type: 'SetState', state };
};

/** Changed terms take effect at the gate at once, for the same values. */
export const followTerms: Rule = (world) =>
  withTerms(world, ({ terms }) => {
    const belonging = newBelonging(world);
    const isSame = JSON.stringify(terms) === JSON.stringify(world.record?.terms);
    if (isSame && belonging === undefined) return undefined;
    return { type: 'SetTerms', terms, ...belonging };
  });
