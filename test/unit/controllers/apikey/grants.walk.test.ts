/**
 * Random walks of one key, its form, its client and its reviewers, with crashes at every commit: what
 * works after a pass was approved, and nothing is ever issued under a grant that is not in force.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SECRETS } from '../../../../src/api/names.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import type { FormRecord } from '../../../../src/ledger/form.ts';
import {
  closeForm,
  endGrant,
  openRound,
  withdrawRound,
} from '../../../../src/ledger/formchanges.ts';
import { countReview } from '../../../../src/ledger/formdecisions.ts';
import { currentGrant, isSuspendedForReissue } from '../../../../src/ledger/grants.ts';
import { aDecision, aForm, aRequest, aRoundRequest } from '../../../support/forms.ts';
import { aRotation, aStore } from '../../../support/world.ts';
import { Desk, WEB } from './desk.ts';

const HOUR_MS = 3_600_000;
const EVENTS = [
  'apply',
  'change',
  'reissueExposed',
  'reissueSuspended',
  'approve',
  'deny',
  'withdrawRound',
  'withdrawGrant',
  'deleteForm',
  'suspendKey',
  'revokeKey',
  'resumeKey',
  'suspendClient',
  'resumeClient',
  'deleteKey',
  'makeKey',
  'askRotation',
  'editState',
  'loseSecret',
  'wait',
  'freeReissues',
  'pass',
] as const;
type Event = (typeof EVENTS)[number];

type FormEvent = (form: FormRecord, nowMs: number, id: string) => FormRecord;

const reissue =
  (whileWaiting: 'Suspend' | 'KeepActive'): FormEvent =>
  (form, submittedMs, requestId) => {
    const content = aRequest({ reissue: { requestId, reason: 'Exposed', whileWaiting } });
    return openRound(form, aRoundRequest({ type: 'Reissue', content, submittedMs }));
  };

const decide =
  (decision: 'Approved' | 'Denied'): FormEvent =>
  (form, atMs, id) =>
    countReview(form, aDecision(id, { decision, atMs, message: 'so' }));

const FORM_EVENTS: { readonly [E in Event]?: FormEvent } = {
  change: (form, submittedMs, purpose) =>
    openRound(form, aRoundRequest({ type: 'Change', content: aRequest({ purpose }), submittedMs })),
  reissueExposed: reissue('KeepActive'),
  reissueSuspended: reissue('Suspend'),
  approve: decide('Approved'),
  deny: decide('Denied'),
  withdrawRound,
  withdrawGrant: (form, atMs) => endGrant(form, { cause: 'Withdrawn', atMs, actor: 'rob' }),
  deleteForm: closeForm,
};

/** One life; `serial` keeps ids apart. */
class Life {
  readonly at = new Desk();
  readonly values = new Set<string>();
  #form = 0;
  #key = 1;
  #serial = 0;

  get formUid(): string {
    return `form-${this.#form}`;
  }

  async open(): Promise<void> {
    await this.at.client();
    this.at.putKey();
    this.at.memory.around = (position, action) => {
      if (position === 'before' && action === 'KeyIssued') this.#expectGranted();
    };
  }

  /** True: something works afterwards, and may. */
  async live(event: Event, dies: number): Promise<boolean> {
    await this.happen(event);
    if (dies > 0) await this.pass(dies);
    await this.pass(0);
    const isWorking = [...this.values].some((value) => this.at.admits(value));
    if (isWorking) assert.ok(await this.isAllowed(), `${event}: something works that must not`);
    return isWorking;
  }

  /** What cannot happen now does not. */
  async happen(event: Event): Promise<void> {
    try {
      await this.#happen(event);
    } catch (error) {
      if (!(error instanceof KeywardError) || error.reason !== 'IllegalTransition') throw error;
    }
  }

  /** A pass that dies at its `nth` commit; 0: one that lives. */
  async pass(nth: number): Promise<void> {
    const { memory } = this.at;
    const before = memory.around;
    let commits = 0;
    memory.around = (position, action) => {
      before(position, action);
      if (position === 'after' && ++commits === nth) throw new Error('the process died');
    };
    try {
      await this.at.pass();
    } catch (error) {
      if (nth === 0) throw error;
    } finally {
      memory.around = before;
    }
    if (this.at.value !== '') this.values.add(this.at.value);
  }

  /** Whether anything may work now, by the books of those who decide. */
  async isAllowed(): Promise<boolean> {
    const { at } = this;
    const record = at.record;
    const port = at.memory.port;
    const form = record?.grant && (await port.loadDocument('Form', record.grant.formUid));
    if (form === undefined || form.phase === 'Ended') return false;
    if (currentGrant(form, at.clock.nowMs()) === undefined || isSuspendedForReissue(form))
      return false;
    const client = await port.findDocument('Client', { namespace: 'shop', name: 'acme' });
    const hold = await port.findDocument('Hold', WEB);
    return client?.state === 'Active' && hold?.held === undefined;
  }

  #expectGranted(): void {
    const { at } = this;
    const forms = at.formsNow();
    const isGranted = forms.some((form) => currentGrant(form, at.clock.nowMs()) !== undefined);
    assert.ok(isGranted, 'a key is issued that nobody granted');
  }

  async #happen(event: Event): Promise<void> {
    const { at } = this;
    this.#serial += 1;
    const id = `r-${this.#serial}`;
    const change = FORM_EVENTS[event];
    if (change !== undefined) return this.#edit((form) => change(form, at.clock.nowMs(), id));
    switch (event) {
      case 'apply':
        if (this.#form > 0 && (await at.stored(this.formUid)).phase === 'Live') return;
        this.#form += 1;
        return at.form(openRound(aForm({ uid: this.formUid }), aRoundRequest()));
      case 'suspendKey':
        return at.hold('Suspended', `key-${this.#key}`);
      case 'revokeKey':
        return at.hold('Revoked', `key-${this.#key}`);
      case 'resumeKey':
        return at.hold(undefined, `key-${this.#key}`);
      case 'suspendClient':
        return at.client({ state: 'Suspended' });
      case 'resumeClient':
        return at.client();
      default:
        this.#happenToKey(event, id);
    }
  }

  #happenToKey(event: Event, id: string): void {
    const { at } = this;
    const uid = `key-${this.#key}`;
    switch (event) {
      case 'deleteKey':
        at.removeKey();
        break;
      case 'makeKey':
        this.#key += 1;
        at.putKey({}, `key-${this.#key}`);
        break;
      case 'askRotation':
        at.putKey({ rotation: aRotation({ requestId: id }) }, uid);
        break;
      case 'editState':
        at.putKey({ state: 'Active' }, uid);
        break;
      case 'loseSecret':
        at.cluster.set(SECRETS, WEB, undefined);
        break;
      case 'wait':
        at.clock.step(HOUR_MS);
        break;
      case 'freeReissues':
        at.store = aStore({ ...at.store, reviewed: ['Issue'] });
        break;
      default:
    }
  }

  async #edit(change: (form: FormRecord) => FormRecord): Promise<void> {
    if (this.#form === 0) return;
    await this.at.form(change(await this.at.stored(this.formUid)));
  }
}

const step = fc.record({
  event: fc.constantFrom(...EVENTS),
  dies: fc.integer({ min: 0, max: 4 }),
});
/** Most lives begin with a grant; else few would ever have one. */
const walk = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.array(step, { minLength: 5, maxLength: 40 }))
  .map(([dies, steps]) => [
    { event: 'apply' as const, dies: 0 },
    ...(dies === 0 ? [] : [{ event: 'approve' as const, dies: dies - 1 }]),
    ...steps,
  ]);

test('What works after a pass was approved and is switched off by nobody, whatever happened before', async () => {
  let worked = 0;
  await fc.assert(
    fc.asyncProperty(walk, async (steps) => {
      const life = new Life();
      await life.open();
      for (const { event, dies } of steps) {
        // One after the other is what a life is.
        // oxlint-disable-next-line no-await-in-loop
        if (await life.live(event, dies)) worked += 1;
      }
    }),
    { numRuns: 300 },
  );
  // Lives in which nothing ever worked would prove nothing.
  expect(worked).toBeGreaterThan(300);
});
