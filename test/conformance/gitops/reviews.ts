/** ApiKeyReviews in each situation: judged by the real judgement, shown by the real status code. */
import { rulingOf, type Verdict } from '../../../src/controllers/review/effects.ts';
import { judge } from '../../../src/controllers/review/judge.ts';
import { wantedStatus } from '../../../src/controllers/review/status.ts';
import type { World } from '../../../src/controllers/review/world.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import {
  aForm,
  aFormTarget,
  aReview,
  aRound,
  aWorld,
} from '../../unit/controllers/review/cases.ts';
import { shown, unseen, type Maker, type Makers } from './situation.ts';

const TWO = { layers: [{ name: '', approvals: 2 }] };
const BY_ANN = { reviewer: { username: 'ann' } };

/** See the file comment. */
export const REVIEWS: Makers = {
  'not-seen': () => unseen('ApiKeyReview', aReview().spec),
  'awaiting-proof': judged({ proof: { type: 'Missing', reason: 'the policies were not found' } }),
  'ledger-away': () => {
    const message = 'the database does not answer';
    const failure = new KeywardError('Transient', { reason: 'LedgerUnavailable', message });
    return show(aWorld(), undefined, failure);
  },
  decisive: judged({}),
  counted: judged({ target: aFormTarget(aForm({ round: aRound({}, TWO) })) }),
  'refused-edited': judged({ review: aReview({ requestHash: 'sha256:another' }) }),
  'refused-own-form': judged({ review: aReview(BY_ANN) }),
  'refused-no-right': judged({ rights: { mayDecide: false } }),
};

function judged(change: Partial<World>): Maker {
  return () => {
    const world = aWorld(change);
    const judgement = judge(world);
    return isVerdict(judgement)
      ? show({ ...world, latch: rulingOf(world, judgement, 'cluster-1').latch })
      : show(world, judgement);
  };
}

function isVerdict(judgement: ReturnType<typeof judge>): judgement is Verdict {
  return judgement.type === 'Counted' || judgement.type === 'Refused';
}

function show(
  world: World,
  judgement?: Parameters<typeof wantedStatus>[1],
  failure?: KeywardError,
): ReturnType<typeof shown> {
  const { review } = world;
  const status = wantedStatus(world, judgement, failure);
  return shown('ApiKeyReview', review, { spec: review.spec, status });
}
