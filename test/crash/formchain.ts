/**
 * What the audit chain says about forms, read as a story: each step must be one that can follow. A pure
 * second opinion: nothing of the product's own rules is used here.
 */
import type { AuditLine } from '../../src/ledger/port.ts';

/** What a round of a scenario needs. */
export type RoundRule = {
  /** Approvals over all layers. */
  readonly approvals: number;
  /** Types that nobody has to decide about are approved by the operator. */
  readonly requiredFor: readonly string[];
};

type Story = {
  readonly approved: Set<number>;
  readonly reviewers: Set<string>;
  round: { readonly number: number; readonly type: string; given: number } | undefined;
  hasGrant: boolean;
  ended: boolean;
};

/** Actions that end a grant for good. */
const ENDINGS = new Set(['GrantWithdrawn', 'GrantRevoked', 'GrantEnded', 'FormEnded']);
/** Actions of keys by which something works that did not before. */
const ISSUES = new Set(['KeyIssued', 'KeyRotated', 'SlotRegenerated', 'RemoteCreateBegun']);
const CLOSINGS = new Set(['RoundDenied', 'RoundReturned', 'RoundLapsed', 'RoundWithdrawn']);

/** UIDs of forms of which a first round was ever approved. */
export function approvedForms(lines: readonly AuditLine[]): ReadonlySet<string> {
  return new Set(
    lines
      .filter(({ action, facts }) => action === 'RoundApproved' && facts['type'] === 'Issue')
      .map(({ uid }) => uid),
  );
}

/** Rounds of each form that were approved. */
export function approvedRounds(lines: readonly AuditLine[], uid: string): ReadonlySet<number> {
  const own = lines.filter((line) => line.uid === uid && line.action === 'RoundApproved');
  return new Set(own.map(roundOf));
}

/** One text per line that cannot follow those before it. `formOf`: the form of a key, by the key's UID. */
export function checkChain(
  lines: readonly AuditLine[],
  formOf: ReadonlyMap<string, string>,
  rule: RoundRule,
): readonly string[] {
  const stories = new Map<string, Story>();
  const counted = new Set<string>();
  const wrong: string[] = [];
  for (const line of lines) {
    const said = follow({ stories, counted, formOf, rule }, line);
    if (said !== undefined) wrong.push(`line ${line.number}, ${line.action}: ${said}`);
  }
  return wrong;
}

type Told = {
  readonly stories: Map<string, Story>;
  readonly counted: Set<string>;
  readonly formOf: ReadonlyMap<string, string>;
  readonly rule: RoundRule;
};

/** Why the line cannot be; undefined: it can. */
function follow(told: Told, line: AuditLine): string | undefined {
  const { action, uid } = line;
  if (action === 'FormSeen') return begin(told, uid);
  const formUid = textOf(line, 'formUid') ?? told.formOf.get(uid);
  if (ISSUES.has(action) && formUid !== undefined) {
    return followIssue(told.stories.get(formUid), line);
  }
  const story = told.stories.get(uid);
  if (story === undefined) return undefined;
  return again(told, line) ?? followForm(story, line, told.rule);
}

function begin({ stories }: Told, uid: string): string | undefined {
  if (stories.has(uid)) return 'the form was seen before';
  const fresh = { approved: new Set<number>(), reviewers: new Set<string>() };
  stories.set(uid, { ...fresh, round: undefined, hasGrant: false, ended: false });
  return undefined;
}

function followIssue(story: Story | undefined, line: AuditLine): string | undefined {
  if (story === undefined || !story.hasGrant) return 'nobody approved the form';
  if (story.ended) return 'the grant had ended';
  if (line.action !== 'KeyIssued') return undefined;
  return story.approved.has(roundOf(line)) ? undefined : `round ${roundOf(line)} was not approved`;
}

/** A review counts once. */
function again({ counted }: Told, line: AuditLine): string | undefined {
  const review = textOf(line, 'reviewUid');
  if (review === undefined) return undefined;
  if (counted.has(review)) return `review ${review} was judged before`;
  counted.add(review);
  return undefined;
}

function followForm(story: Story, line: AuditLine, rule: RoundRule): string | undefined {
  const { action, facts } = line;
  if (ENDINGS.has(action)) {
    story.ended = true;
    return undefined;
  }
  if (action === 'RoundOpened' || action === 'RoundReplaced') return open(story, line);
  if (action === 'ReviewCounted') return count(story, line);
  if (action === 'RoundApproved') return approve(story, line, rule);
  if (CLOSINGS.has(action)) {
    const was = story.round;
    story.round = undefined;
    return was?.number === roundOf(line) ? undefined : 'no such round was open';
  }
  return action === 'GrantInForce' && (story.ended || !story.approved.has(Number(facts['round'])))
    ? 'it was not approved, or had ended'
    : undefined;
}

function open(story: Story, line: AuditLine): string | undefined {
  if (story.ended) return 'the grant had ended';
  if (line.action === 'RoundOpened' && story.round !== undefined) return 'another one is open';
  story.round = { number: roundOf(line), type: textOf(line, 'type') ?? '', given: 0 };
  story.reviewers.clear();
  return undefined;
}

function count(story: Story, line: AuditLine): string | undefined {
  const reviewer = textOf(line, 'reviewer') ?? '';
  if (story.round?.number !== roundOf(line)) return 'no such round was open';
  if (story.reviewers.has(reviewer)) return `${reviewer} decided twice`;
  story.reviewers.add(reviewer);
  story.round.given += 1;
  return undefined;
}

function approve(story: Story, line: AuditLine, rule: RoundRule): string | undefined {
  const type = textOf(line, 'type') ?? '';
  const isFree = textOf(line, 'reviewUid') === undefined;
  const { round } = story;
  const said = isFree
    ? freeObjection(type, rule)
    : (count(story, line) ?? givenObjection(round, rule));
  if (story.ended) return 'the grant had ended';
  story.round = undefined;
  story.approved.add(roundOf(line));
  story.hasGrant ||= type === 'Issue';
  // Without a date of its own a revocation acts at once, and no scenario has one.
  story.ended ||= type === 'Revoke';
  return said;
}

function freeObjection(type: string, { requiredFor }: RoundRule): string | undefined {
  return requiredFor.includes(type) ? `nobody decided about a ${type}` : undefined;
}

function givenObjection(round: Story['round'], { approvals }: RoundRule): string | undefined {
  return round?.given === approvals
    ? undefined
    : `${round?.given ?? 0} approvals instead of ${approvals}`;
}

function roundOf({ facts }: AuditLine): number {
  return Number(facts['round']);
}

function textOf({ facts }: AuditLine, name: string): string | undefined {
  const found = facts[name];
  return typeof found === 'string' ? found : undefined;
}
