/** Random lives of forms: whatever is called in whatever order, what must never happen does not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeywardError } from '../../../src/kernel/errors.ts';
import { DAY_MS } from '../../../src/kernel/time.ts';
import type { FormRecord, Layer, RoundRules, RoundType } from '../../../src/ledger/form.ts';
import * as changes from '../../../src/ledger/formchanges.ts';
import { approveAutomatically, countReview } from '../../../src/ledger/formdecisions.ts';
import {
  currentGrant,
  grantState,
  isSuspendedForReissue,
  openLayer,
} from '../../../src/ledger/grants.ts';
import { type RequestContent, requestHash } from '../../../src/terms/request.ts';
import {
  aDecision,
  aForm,
  aRequest,
  aRoundRequest,
  FORM_AT_MS,
  ONE_LAYER,
} from '../../support/forms.ts';

const LAYERS: readonly (readonly Layer[])[] = [
  [],
  [{ name: '', approvals: 1 }],
  [
    { name: 'x', approvals: 2 },
    { name: 'y', approvals: 1 },
  ],
];

type Step = (form: FormRecord, nowMs: number) => FormRecord;
type Named = { readonly name: string; readonly step: Step };

const content: fc.Arbitrary<RequestContent> = fc
  .record({
    displayName: fc.constantFrom('a', 'b'),
    day: fc.constantFrom(undefined, '2027-01-20', '2027-02-20', '2027-12-31'),
    end: fc.constantFrom(undefined, undefined, undefined, '2027-03-01'),
    reissue: fc.option(
      fc.record({
        requestId: fc.constantFrom('r1', 'r2', 'r3'),
        reason: fc.constantFrom('Exposed' as const, 'Routine' as const),
        whileWaiting: fc.constantFrom('KeepActive' as const, 'Suspend' as const),
      }),
      { nil: undefined },
    ),
    revokeOn: fc.constantFrom(
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      'now',
      '2027-02-10',
      '2027-08-10',
    ),
  })
  .map(({ displayName, day, end, reissue, revokeOn }) =>
    aRequest({
      displayName,
      terms: {
        validity: {
          timeZone: 'UTC',
          ...(day && { effectiveDate: day }),
          ...(end && { expirationDate: end }),
        },
      },
      ...(reissue && { reissue }),
      ...(revokeOn && {
        revocation: {
          justification: 'j',
          ...(revokeOn !== 'now' && { effectiveDate: revokeOn }),
        },
      }),
    }),
  );

const opening = fc
  .record({
    isEager: fc.boolean(),
    type: fc.constantFrom<RoundType>('Issue', 'Change', 'Change', 'Reissue', 'Reissue'),
    content,
    layers: fc.constantFrom(...LAYERS, LAYERS[1] ?? []),
    hasDeadline: fc.boolean(),
  })
  .map(({ isEager, type, content: asked, layers, hasDeadline }): Named => {
    const rules: RoundRules = { ...ONE_LAYER, layers };
    const step: Step = (form, nowMs) => {
      // Mostly what the form asks for and can have, so that walks come far.
      const wanted = asked.revocation === undefined ? type : 'Revoke';
      const fitting = form.grant === undefined ? 'Issue' : wanted;
      const request = aRoundRequest({
        type: fitting,
        content: asked,
        rules,
        submittedMs: nowMs,
        ...(hasDeadline && { deadlineMs: nowMs + 14 * DAY_MS }),
      });
      if (form.round?.state !== 'Pending') return changes.openRound(form, request);
      return isEager ? changes.replaceRound(form, request) : form;
    };
    return { name: `open ${type}`, step };
  });

const deciding = fc
  .record({
    who: fc.constantFrom('p', 'q', 'r', 's'),
    decision: fc.oneof(
      { weight: 10, arbitrary: fc.constant('Approved' as const) },
      { weight: 1, arbitrary: fc.constantFrom('Denied' as const, 'Returned' as const) },
    ),
    wrongLayer: fc.option(fc.constantFrom('', 'x', 'y'), { nil: undefined, freq: 6 }),
  })
  .map(({ who, decision, wrongLayer }): Named => ({
    name: `${decision} by ${who}`,
    step: (form, atMs) => {
      const turn = form.round && openLayer(form.round, form.reviews)?.layer.name;
      const layer = wrongLayer ?? turn ?? '';
      return countReview(form, aDecision(who, { decision, layer, atMs }));
    },
  }));

const other: fc.Arbitrary<Named> = fc.constantFrom<Named>(
  { name: 'automatic', step: approveAutomatically },
  { name: 'withdraw', step: changes.withdrawRound },
  { name: 'lapse', step: changes.lapseRound },
  { name: 'drop reissue', step: changes.dropReissue },
  {
    name: 'finish reissue',
    step: (form) => changes.finishReissue(form, form.reissue?.requestId ?? ''),
  },
  { name: 'activate', step: changes.activateNext },
  { name: 'carry out', step: changes.carryOutRevocation },
  { name: 'bind', step: (form, atMs) => changes.bindKey(form, { keyUid: 'k', atMs }) },
);

const rare: fc.Arbitrary<Named> = fc.constantFrom<Named>(
  {
    name: 'withdraw the grant',
    step: (form, atMs) => countReview(form, aDecision('eve', { decision: 'Revoked', atMs })),
  },
  { name: 'close', step: changes.closeForm },
  {
    name: 'end',
    step: (form, atMs) =>
      changes.endGrant(form, { cause: 'ClientDeleted', atMs, actor: 'operator' }),
  },
);

const walk = fc.array(
  fc.record({
    action: fc.oneof(
      { weight: 20, arbitrary: opening },
      { weight: 40, arbitrary: deciding },
      { weight: 20, arbitrary: other },
      { weight: 1, arbitrary: rare },
    ),
    waitDays: fc.constantFrom(0, 0, 0, 0, 0, 1, 14, 30),
  }),
  { minLength: 30, maxLength: 60 },
);

/** The form after the step, or as it was where the step is not legal. */
function attempt(form: FormRecord, { step }: Named, nowMs: number): FormRecord {
  try {
    return step(form, nowMs);
  } catch (thrown) {
    if (thrown instanceof KeywardError && thrown.reason === 'IllegalTransition') return form;
    throw thrown;
  }
}

/** What must hold of a life, whatever comes next. */
class Life {
  form = aForm();
  nowMs = FORM_AT_MS;
  readonly reached = new Set<string>();
  readonly violations: string[] = [];
  readonly #hashes = new Map<number, string>();
  readonly #approved = new Map<number, string>();
  readonly #carriedOut = new Set<string>();
  #isOffSinceLapse = false;

  go(action: Named, waitDays: number): void {
    const before = this.form;
    this.nowMs += waitDays * DAY_MS;
    this.form = attempt(before, action, this.nowMs);
    this.#noteRound(before);
    this.#checkGrants();
    this.#checkEnd(before);
    this.#checkReissue(before);
    this.#expect(
      before.spentReissueIds.every((id) => this.form.spentReissueIds.includes(id)),
      'a spent id stays spent',
    );
    this.#noteReached();
  }

  #expect(holds: boolean, rule: string): void {
    if (!holds) this.violations.push(rule);
  }

  #noteRound(before: FormRecord): void {
    const { round, uid, reviews } = this.form;
    if (round === undefined) return;
    const { number, type, rules } = round;
    this.#expect(number >= (before.round?.number ?? 0), 'round numbers only grow');
    if (number !== before.round?.number) {
      this.#hashes.set(number, requestHash({ formUid: uid, round: number, ...round }));
    }
    if (round.state !== 'Approved' || before.round?.state !== 'Pending') return;
    this.reached.add(type).add(`${rules.layers.length} layers`);
    for (const { name, approvals } of rules.layers) {
      const people = reviews.filter(
        (each) => each.round === number && each.decision === 'Approved' && each.layer === name,
      );
      const count = new Set(people.map(({ reviewer }) => reviewer.username)).size;
      this.#expect(count === approvals, 'an approved round has the approvals of each layer');
    }
    this.#expect(round.hash === this.#hashes.get(number), 'the hash is that of what was asked');
    if (type === 'Issue' || type === 'Change') this.#approved.set(number, round.hash);
  }

  #checkGrants(): void {
    const grants = [this.form.grant, this.form.nextGrant].filter((each) => each !== undefined);
    for (const { round, hash, effectiveMs, approvedMs } of grants) {
      this.#expect(this.#approved.get(round) === hash, 'a grant is of an approved round');
      this.#expect(effectiveMs >= approvedMs, 'no grant reaches back');
    }
  }

  #checkEnd(before: FormRecord): void {
    const { form, nowMs } = this;
    const isOver = grantState(form, nowMs) === 'Ended';
    this.#expect(isOver || grantState(before, nowMs) !== 'Ended', 'an ended grant stays ended');
    this.#expect(before.ended === undefined || form.ended === before.ended, 'the first end stays');
    const current = currentGrant(form, nowMs);
    this.#expect(!isOver || current === undefined, 'nothing is in force after the end');
    const wasInForce = currentGrant(before, nowMs) !== undefined;
    this.#expect(isOver || !wasInForce || current !== undefined, 'no grant is interrupted');
    this.#expect(form.ended === undefined || form.round?.state !== 'Pending', 'the end closes all');
  }

  #checkReissue(before: FormRecord): void {
    const { reissue } = this.form;
    if (reissue?.state === 'Approved' && before.reissue?.state !== 'Approved') {
      this.#expect(!this.#carriedOut.has(reissue.requestId), 'a reissue id acts once');
      this.#carriedOut.add(reissue.requestId);
    }
    this.#checkLapse();
  }

  #checkLapse(): void {
    const { reissue, round, ended } = this.form;
    const isDecided = reissue?.state === 'Approved' || reissue?.state === 'Denied';
    const isLapsed = reissue?.state === 'Lapsed' && reissue.whileWaiting === 'Suspend';
    // A later wish that says Suspend itself may be taken back, and is not followed here.
    const saysSuspend = round?.content.reissue?.whileWaiting === 'Suspend';
    const stays = this.#isOffSinceLapse && !isDecided && ended === undefined && !saysSuspend;
    this.#isOffSinceLapse = isLapsed || stays;
    this.#expect(
      !this.#isOffSinceLapse || isSuspendedForReissue(this.form),
      'after a lapse only a decision switches the key on',
    );
  }

  #noteReached(): void {
    const { reissue, nextGrant, revocation, ended } = this.form;
    if (reissue !== undefined) this.reached.add(`reissue ${reissue.state}`);
    if (nextGrant !== undefined) this.reached.add('next');
    if (revocation !== undefined) this.reached.add('revocation');
    if (ended !== undefined) this.reached.add(`ended ${ended.cause}`);
  }
}

describe('Whatever happens to a form', () => {
  it('no grant is without the approvals of its layers, none comes back, and none is interrupted', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(walk, (steps) => {
        const life = new Life();
        for (const { action, waitDays } of steps) life.go(action, waitDays);
        for (const place of life.reached) reached.add(place);
        expect(life.violations).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
    // Walks that come nowhere would prove nothing.
    const types = ['Issue', 'Change', 'Reissue', 'Revoke'];
    const places = [
      ...types,
      ...['Waiting', 'Approved', 'Denied', 'Lapsed'].map((state) => `reissue ${state}`),
      ...['Revoked', 'Withdrawn', 'FormDeleted', 'ClientDeleted'].map((cause) => `ended ${cause}`),
      '0 layers',
      '1 layers',
      '2 layers',
      'next',
      'revocation',
    ];
    expect(places.filter((place) => !reached.has(place))).toEqual([]);
  });
});
