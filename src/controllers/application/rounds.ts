/** What a round is opened with: its rules and deadline are frozen at that moment. Pure. */
import { KeywardError } from '../../kernel/errors.ts';
import { DAY_MS } from '../../kernel/time.ts';
import type { Layer, RoundRules, RoundType } from '../../ledger/form.ts';
import type { RoundRequest } from '../../ledger/formchanges.ts';
import { changesBetween } from '../../terms/differences.ts';
import { limitsOf } from './content.ts';
import type { WantedRound } from './wish.ts';
import type { UsableStore, World } from './world.ts';

/** Where the store names none. */
const ONE_LAYER: readonly Layer[] = [{ name: '', approvals: 1 }];

/** True when people decide about rounds of this type, by what the store says now. */
export function isReviewed({ store }: World, type: RoundType): boolean {
  if (store.type !== 'Usable') return true;
  return store.rules.mode === 'Manual' && store.rules.requiredFor.includes(type);
}

/** What the next round is opened with. @throws KeywardError Bug where there is no store to take the rules from */
export function requestOf(
  { record, store, form, nowMs }: World,
  { type, content }: WantedRound,
  decision: 'Reviewed' | 'Free',
): RoundRequest {
  if (store.type !== 'Usable' || form === undefined) {
    throw new KeywardError('Bug', {
      reason: 'StoreMissing',
      message: 'a round was to be opened without a form or its store',
    });
  }
  const { submissionId } = form.spec;
  const { deadlineDays } = store.rules;
  const isDated = decision === 'Reviewed' && deadlineDays > 0;
  return {
    type,
    content,
    changes: changesBetween(record?.grant?.content, content),
    ...(submissionId === undefined ? {} : { submissionId }),
    rules: rulesOf(store, decision),
    submittedMs: nowMs,
    ...(isDated ? { deadlineMs: nowMs + deadlineDays * DAY_MS } : {}),
  };
}

function rulesOf(store: UsableStore, decision: 'Reviewed' | 'Free'): RoundRules {
  const { layers, selfReview, attestors = [], onDenied } = store.rules;
  return {
    layers: decision === 'Free' ? [] : (layers ?? ONE_LAYER),
    selfReview,
    attestors: attestors.map(({ username }) => username),
    onDenied,
    ...limitsOf(store),
  };
}
