/** The second opinion about the audit chain: it has to notice what must never be. */
import { expect, test } from 'vitest';
import type { AuditLine } from '../../../src/ledger/port.ts';
import { approvedForms, checkChain } from '../../crash/formchain.ts';

const ONE_REVIEW = { approvals: 1, requiredFor: ['Issue', 'Change', 'Reissue'] };
const KEYS = new Map([['key-1', 'form-1']]);

type Told = readonly [action: string, facts?: AuditLine['facts'], uid?: string];

const seen: Told = ['FormSeen'];
const opened = (round = 1, type = 'Issue'): Told => ['RoundOpened', { round, type }];
const approved = (round = 1, type = 'Issue', reviewUid = `r${round}`): Told => [
  'RoundApproved',
  { round, type, reviewUid, reviewer: 'rob' },
];
const issued = (round = 1): Told => ['KeyIssued', { formUid: 'form-1', round }, 'key-1'];

function chain(...told: readonly Told[]): readonly AuditLine[] {
  return told.map(([action, facts = {}, uid = 'form-1'], index) => {
    return { number: index + 1, uid, action, actor: 'somebody', atMs: index, facts };
  });
}

const check = (...told: readonly Told[]): readonly string[] =>
  checkChain(chain(...told), KEYS, ONE_REVIEW);

test('a story in its order is no violation', () => {
  const change: Told[] = [opened(2, 'Change'), approved(2, 'Change')];
  expect(check(seen, opened(), approved(), issued(), ...change, ['GrantWithdrawn'])).toEqual([]);
  expect(approvedForms(chain(seen, opened(), approved()))).toEqual(new Set(['form-1']));
});

test.each<{ what: string; told: readonly Told[]; said: string }>([
  { what: 'a key before the decision', told: [seen, opened(), issued()], said: 'nobody approved' },
  { what: 'a key of no form', told: [issued()], said: 'nobody approved' },
  {
    what: 'a key of a round that was denied',
    told: [seen, opened(), approved(), issued(2)],
    said: 'round 2 was not approved',
  },
  {
    what: 'a key after the end',
    told: [seen, opened(), approved(), ['GrantWithdrawn'], issued()],
    said: 'had ended',
  },
  {
    what: 'new values after the end',
    told: [seen, opened(), approved(), issued(), ['GrantEnded'], ['KeyRotated', {}, 'key-1']],
    said: 'had ended',
  },
  {
    what: 'a round after the end',
    told: [seen, opened(), approved(), ['GrantRevoked'], opened(2, 'Change')],
    said: 'had ended',
  },
  {
    what: 'a review that counts twice',
    told: [seen, opened(), approved(), opened(2, 'Change'), approved(2, 'Change', 'r1')],
    said: 'was judged before',
  },
  {
    what: 'an approval of a round that is not open',
    told: [seen, opened(), approved(2)],
    said: 'no such round',
  },
  {
    what: 'an approval by nobody',
    told: [seen, opened(), ['RoundApproved', { round: 1, type: 'Issue' }]],
    said: 'nobody decided',
  },
])('$what is noticed', ({ told, said }) => {
  expect(check(...told)).toEqual([expect.stringContaining(said)]);
});

test('too few approvals, and two by one person, are noticed', () => {
  const two = { ...ONE_REVIEW, approvals: 2 };
  const lines = (...told: readonly Told[]): readonly string[] =>
    checkChain(chain(seen, opened(), ...told), KEYS, two);
  const counted: Told = ['ReviewCounted', { round: 1, reviewUid: 'first', reviewer: 'sue' }];
  expect(lines(counted, approved())).toEqual([]);
  expect(lines(approved())).toEqual([expect.stringContaining('1 approvals instead of 2')]);
  const again: Told = [
    'RoundApproved',
    { round: 1, type: 'Issue', reviewUid: 'x', reviewer: 'sue' },
  ];
  expect(lines(counted, again)).toEqual([expect.stringContaining('decided twice')]);
});
