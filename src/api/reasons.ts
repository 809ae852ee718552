/**
 * How conditions are built from tables of reasons, for all kinds. The tables are in conditions.ts
 * (keys, stores) and applicationconditions.ts (forms, reviews, clients, products).
 */
import { formatTime } from '../kernel/time.ts';
import type { Condition } from './meta.ts';

/** Status of a condition: `Unknown` is said, never assumed. */
type ConditionStatus = Condition['status'];

/**
 * How GitOps tools read an object in this situation.
 *
 * - Current: done.
 * - InProgress: not there yet, and no edit is wanted (something or somebody else is awaited).
 * - Failed: stays like this until a person acts.
 */
export type Kstatus = 'Current' | 'InProgress' | 'Failed';

/** Which condition of the kstatus pair stands beside Ready. */
type Companion = 'None' | 'Reconciling' | 'Stalled';

/** What a reason says. */
export type ReasonFact = {
  readonly status: ConditionStatus;
  /** One sentence for the docs: what is the case, and what to do where something is to be done. */
  readonly sentence: string;
};

/** What a reason of Ready says. */
export type ReadyFact = ReasonFact & {
  readonly kstatus: Kstatus;
  readonly companion: Companion;
};

/** It works. */
export const works = (sentence: string) =>
  ({ status: 'True', kstatus: 'Current', companion: 'None', sentence }) as const;
/** Something or somebody else is awaited; no edit of this object is wanted. */
export const awaits = (sentence: string) =>
  ({ status: 'False', kstatus: 'InProgress', companion: 'None', sentence }) as const;
/** The operator keeps trying. */
export const retries = (sentence: string) =>
  ({ status: 'False', kstatus: 'InProgress', companion: 'Reconciling', sentence }) as const;
/** Stays like this until a person acts. */
export const failed = (sentence: string) =>
  ({ status: 'False', kstatus: 'Failed', companion: 'Stalled', sentence }) as const;
/** Not looked at yet. */
export const unseen = (sentence: string) =>
  ({ status: 'Unknown', kstatus: 'InProgress', companion: 'None', sentence }) as const;

/** A reason with which the condition is true. */
export const isTrue = (sentence: string) => ({ status: 'True', sentence }) as const;
/** A reason with which the condition is false. */
export const isFalse = (sentence: string) => ({ status: 'False', sentence }) as const;
/** A reason with which the condition is not known. */
export const isUnknown = (sentence: string) => ({ status: 'Unknown', sentence }) as const;

/** Every condition type, in the order in which status lists them. */
export const CONDITION_TYPES = [
  'Ready',
  'Submitted',
  'Approved',
  'Effective',
  'Accepted',
  'Registered',
  'SecretSynced',
  'StoreSynced',
  'SpecSupported',
  'ExpiringSoon',
  'Expired',
  'Rotating',
  'WorkloadsRestarted',
  'Durable',
  'Reconciling',
  'Stalled',
] as const;

/** The type of a condition. */
export type ConditionType = (typeof CONDITION_TYPES)[number];

/** Longest condition message that the CRDs accept; longer ones are cut. */
export const MESSAGE_LENGTH_MAX = 1_024;

/** A condition as status code asks for it: times and generation are filled in when merging. */
export type WantedCondition = Pick<Condition, 'reason' | 'message' | 'status'> & {
  readonly type: ConditionType;
};

/**
 * The conditions to publish: exactly the wanted ones, in the order of CONDITION_TYPES.
 *
 * `lastTransitionTime` is kept from `previous` unless the status flips (a new reason or message is
 * no flip); everything else is taken from `wanted`, and a condition that nobody wants is dropped.
 * Where one type is wanted twice the first counts. Repeating it on its own result changes nothing.
 *
 * @param at.generation metadata.generation of the object the conditions were worked out from
 */
export function mergeConditions(
  previous: readonly Condition[],
  wanted: readonly WantedCondition[],
  at: { readonly nowMs: number; readonly generation: number },
): readonly Condition[] {
  return CONDITION_TYPES.flatMap((type) => {
    const want = wanted.find((condition) => condition.type === type);
    if (want === undefined) return [];
    const before = previous.find((condition) => condition.type === type);
    const flipped = before?.status !== want.status;
    return {
      type,
      status: want.status,
      reason: want.reason,
      message: clip(want.message),
      lastTransitionTime: flipped ? formatTime(at.nowMs) : before.lastTransitionTime,
      observedGeneration: at.generation,
    };
  });
}

/** Ready with this reason, and Stalled or Reconciling where the reason brings them along. */
export function readyWith(
  reason: string,
  fact: ReadyFact,
  message: string,
): readonly WantedCondition[] {
  const ready: WantedCondition = { type: 'Ready', status: fact.status, reason, message };
  switch (fact.companion) {
    case 'None':
      return [ready];
    case 'Reconciling':
      return [ready, { type: 'Reconciling', status: 'True', reason: 'RetryingStore', message }];
    case 'Stalled':
      return [ready, { type: 'Stalled', status: 'True', reason, message }];
  }
}

/** Status and reason of a further condition; Unknown where the table does not have the reason. */
export function statusOf(
  reasons: Readonly<Record<string, ReasonFact>>,
  reason: string,
): Pick<WantedCondition, 'status' | 'reason'> {
  return { status: reasons[reason]?.status ?? 'Unknown', reason };
}

/** Reasons of Stalled for a kind: those of its Ready whose kstatus is Failed. */
export function stalledReasons(
  facts: Readonly<Record<string, ReadyFact>>,
): Record<string, ReasonFact> {
  const stalled = Object.entries(facts).filter(([, fact]) => fact.kstatus === 'Failed');
  return Object.fromEntries(stalled.map(([reason, fact]) => [reason, isTrue(fact.sentence)]));
}

function clip(message: string): string {
  // Counted in code points, as the API server counts: half of a surrogate pair is no text.
  const points = Array.from(message);
  if (points.length <= MESSAGE_LENGTH_MAX) return message;
  return `${points.slice(0, MESSAGE_LENGTH_MAX - 1).join('')}…`;
}
