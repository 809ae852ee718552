/** ApiKeys of a form in each situation: reconciled by the real controller beside a ledger in memory. */
import type { ApiKeySpec } from '../../../src/api/generated/apikey.ts';
import { API_KEYS } from '../../../src/api/names.ts';
import { DAY_MS } from '../../../src/kernel/time.ts';
import type { FormRecord } from '../../../src/ledger/form.ts';
import {
  endGrant,
  lapseRound,
  openRound,
  type RoundRequest,
} from '../../../src/ledger/formchanges.ts';
import { countReview, type Decision } from '../../../src/ledger/formdecisions.ts';
import {
  aDecision,
  aForm,
  aRequest,
  aRoundRequest,
  aSubmittedForm,
  FORM_AT_MS,
} from '../../support/forms.ts';
import { aRotation } from '../../support/world.ts';
import { Desk, WEB } from '../../unit/controllers/apikey/desk.ts';
import { shown, type Maker, type Makers } from './situation.ts';

const DEADLINE = { deadlineMs: FORM_AT_MS + DAY_MS };

/** Those that are about the form, or about what reviewers decided. */
export const GRANTED_KEYS: Makers = {
  'application-not-found': desk(),
  'application-not-submitted': desk(aForm()),
  'pending-review': desk(aSubmittedForm(DEADLINE)),
  returned: desk(reviewed({ decision: 'Returned', message: 'Which site is it for?' })),
  denied: desk(reviewed({ decision: 'Denied', reason: 'Security', message: 'Not from outside.' })),
  lapsed: desk(lapseRound(aSubmittedForm(DEADLINE), FORM_AT_MS + DAY_MS)),
  'not-yet-effective': desk(
    approved({
      content: aRequest({
        terms: { validity: { timeZone: 'Asia/Seoul', effectiveDate: '2027-01-20' } },
      }),
    }),
  ),
  'apikey-conflict': desk(approved({ content: aRequest({ apiKeyName: 'other' }) })),
  'application-in-use': desk({
    ...approved({ content: aRequest({ apiKeyName: 'other' }) }),
    issuedTo: { keyUid: 'other-key', atMs: FORM_AT_MS },
  }),
  granted: desk(approved()),
  'change-pending': desk(approved(), async (at) => {
    const change = aRoundRequest({ type: 'Change', submittedMs: at.clock.nowMs() });
    await at.changeForm((form) => openRound(form, change));
  }),
  'reissue-required': desk(approved(), async (at) =>
    at.putKey({ rotation: aRotation({ requestId: 'unasked' }) }),
  ),
  'grant-withdrawn': desk(approved(), async (at) => {
    const ended = { cause: 'Withdrawn', atMs: at.clock.nowMs(), actor: 'rob', message: 'Misuse.' };
    await at.changeForm((form) => endGrant(form, { ...ended, cause: 'Withdrawn' }));
  }),
  'suspended-by-reviewer': desk(approved(), (at) => at.hold('Suspended')),
  'revoked-by-reviewer': desk(approved(), (at) => at.hold('Revoked')),
};

/** The form, its key, a pass; then something more and another pass. */
function desk(form?: FormRecord, more?: (at: Desk) => Promise<void>): Maker {
  return async () => {
    const at = new Desk();
    await at.client();
    if (form !== undefined) await at.form(form);
    at.putKey();
    await at.pass();
    if (more !== undefined) {
      await more(at);
      await at.pass();
    }
    const object = at.cluster.find(API_KEYS, WEB) as { readonly spec: ApiKeySpec } | undefined;
    if (object === undefined) throw new Error('the key has gone');
    return shown('ApiKey', { ref: WEB }, { spec: object.spec, status: at.status });
  };
}

function reviewed(decision: Partial<Decision>): FormRecord {
  return countReview(aSubmittedForm(), aDecision('rob', decision));
}

function approved(request: Partial<RoundRequest> = {}): FormRecord {
  return countReview(aSubmittedForm(request), aDecision('rob'));
}
