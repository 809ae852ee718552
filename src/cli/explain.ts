/** `keyward explain`: what a reason in a status, an event or an answer of a gate means, without asking any server. Pure. */
import { EVENT_REASONS } from '../api/conditions.ts';
import { CONDITION_TABLES, type ConditionTable } from '../api/conditiontables.ts';
import type { Kstatus, ReadyFact, ReasonFact } from '../api/reasons.ts';
import { editDistance } from '../kernel/editdistance.ts';
import { REFUSALS, type Refusal } from '../terms/refusals.ts';
import { wrapTo } from './width.ts';

/** Narrow enough for the usual terminal, with the margin. */
const COLUMNS = 76;

/** One place where a reason occurs. */
export type Meaning = {
  readonly reason: string;
  /** Kinds of objects that carry it; of events: empty. */
  readonly kinds: string;
  /** The condition, `Event`, or `Gate` for what a gate answers. */
  readonly condition: string;
  /** Status of the condition, type of the event, or status of HTTP. */
  readonly status: string;
  /** Reasons of Ready only. */
  readonly kstatus?: Kstatus;
  readonly sentence: string;
};

type Facts = Readonly<Record<string, ReasonFact | ReadyFact>>;

/** Everything that can be explained, kind by kind. */
export function allMeanings(): readonly Meaning[] {
  const tables = Object.entries<ConditionTable>(CONDITION_TABLES);
  return [...tables.flatMap(meaningsOf), ...events(), ...gateAnswers()];
}

/** What a reason, a cause in the log of a gate, or a condition type means, upper and lower case alike; empty: nobody says that. */
export function meaningsOfWord(word: string): readonly Meaning[] {
  const wanted = word.toLowerCase();
  const all = allMeanings();
  const reasons = all.filter(({ reason }) => reason.toLowerCase() === wanted);
  if (reasons.length > 0) return reasons;
  const refusal = refusals().find(({ cause }) => cause.toLowerCase() === wanted);
  if (refusal !== undefined) {
    return all.filter((each) => each.condition === 'Gate' && each.reason === refusal.reason);
  }
  return all.filter(({ condition }) => condition.toLowerCase() === wanted);
}

/** Reasons that look like the word; at most five. */
export function similarReasons(word: string): readonly string[] {
  const wanted = word.toLowerCase();
  const names = [...new Set(allMeanings().map(({ reason }) => reason))];
  return names
    .map((name) => ({ name, far: editDistance(name.toLowerCase(), wanted) }))
    .filter(
      ({ name, far }) => far <= 3 || (wanted.length > 2 && name.toLowerCase().includes(wanted)),
    )
    .toSorted((a, b) => a.far - b.far)
    .slice(0, 5)
    .map(({ name }) => name);
}

/** The meanings of one word as lines for people. */
export function meaningsText(meanings: readonly Meaning[]): string {
  return meanings
    .map((meaning) => `${heading(meaning)}\n  ${wrapTo(meaning.sentence, COLUMNS).join('\n  ')}\n`)
    .join('\n');
}

const KSTATUS: Readonly<Record<Kstatus, string>> = {
  Current: 'done',
  InProgress: 'not done yet; no edit is wanted',
  Failed: 'stays like this until a person acts',
};

function heading({ reason, kinds, condition, status, kstatus }: Meaning): string {
  if (condition === 'Event') return `${reason}: an event (${status})`;
  if (condition === 'Gate') return `${reason}: answer ${status} of a gate`;
  const what = kstatus === undefined ? '' : `: ${KSTATUS[kstatus]}`;
  return `${reason}: ${condition}=${status} of ${kinds}${what}`;
}

function meaningsOf([kind, { ready, further }]: [string, ConditionTable]): readonly Meaning[] {
  const kinds = kind === 'KeyStore' ? 'KeyStore, ClusterKeyStore' : kind;
  // Stalled repeats the reason of Ready and has nothing of its own to say.
  const { Stalled: _, ...own } = further;
  return Object.entries<Facts>({ Ready: ready, ...own }).flatMap(([condition, facts]) =>
    factsOf(kinds, condition, facts),
  );
}

function factsOf(kinds: string, condition: string, facts: Facts): readonly Meaning[] {
  return Object.entries(facts).map(([reason, fact]) => ({
    reason,
    kinds,
    condition,
    status: fact.status,
    ...('kstatus' in fact ? { kstatus: fact.kstatus } : {}),
    sentence: fact.sentence,
  }));
}

function events(): readonly Meaning[] {
  return Object.entries(EVENT_REASONS).map(([reason, { type, sentence }]) => ({
    reason,
    kinds: '',
    condition: 'Event',
    status: type,
    sentence,
  }));
}

/** One for each reason: callers cannot tell its causes apart, the log of the gate can. */
function gateAnswers(): readonly Meaning[] {
  return [...Map.groupBy(refusals(), ({ reason }) => reason)].map(([reason, all]) => ({
    reason,
    kinds: '',
    condition: 'Gate',
    status: `${all[0]?.status ?? ''}`,
    sentence: `Said to the caller: ${all[0]?.text ?? ''}. The log of the gate says which cause it was: ${all.map(({ cause }) => cause).join(', ')}. What to do: docs/gate.md, Trouble.`,
  }));
}

function refusals(): readonly Refusal[] {
  return Object.values(REFUSALS);
}
