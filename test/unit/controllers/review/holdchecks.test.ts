import { describe, expect, test } from 'vitest';
import { questionsOf } from '../../../../src/controllers/review/officechecks.ts';
import {
  aClient,
  aClientTarget,
  aForm,
  aHeld,
  aKeyTarget,
  aReview,
  aStore,
  aWorld,
  messageOf,
  SUBMITTED_MS,
  verdict,
} from './cases.ts';

type Spec = Parameters<typeof aReview>[0];
type Change = Parameters<typeof aReview>[1];

const about = (ref: object, spec: Spec = {}, change: Change = {}) => {
  const { applicationRef: _, requestHash: __, ...rest } = aReview().spec;
  return { review: { ...aReview({}, change), spec: { ...rest, ...ref, ...spec } } };
};
const KEY_REF = { apiKeyRef: { name: 'web', uid: 'key-uid' } };
const CLIENT_REF = { clientRef: { name: 'shop', uid: 'client-uid' } };
const ofKey = (spec: Spec, change?: Change) => about(KEY_REF, spec, change);
const ofClient = (spec: Spec, change?: Change) => about(CLIENT_REF, spec, change);
const heldKey = (change: Parameters<typeof aHeld>[0] = {}) => aKeyTarget({ held: aHeld(change) });

describe('a review of a key', () => {
  const target = aKeyTarget();

  test('suspends, resumes and revokes it', () => {
    expect(verdict({ target, ...ofKey({ decision: 'Suspended' }) })).toBe('Decisive');
    expect(verdict({ target, ...ofKey({ decision: 'Revoked' }) })).toBe('Decisive');
    expect(verdict({ target: heldKey(), ...ofKey({ decision: 'Resumed' }) })).toBe('Decisive');
    expect(verdict({ target: heldKey(), ...ofKey({ decision: 'Revoked' }) })).toBe('Decisive');
  });

  test('approves, denies and returns nothing', () => {
    for (const decision of ['Approved', 'Denied', 'Returned'] as const) {
      expect(verdict({ target, ...ofKey({ decision }) })).toBe('NothingToDecide');
    }
  });

  test('must mean a key that is there, under the UID that was read', () => {
    const gone = aKeyTarget({ sight: undefined });
    expect(verdict({ target: gone, ...ofKey({ decision: 'Suspended' }) })).toBe('TargetNotFound');
    const sight = { uid: 'other', generation: 1, isDeleting: false, authors: [] };
    const anew = aKeyTarget({ sight });
    expect(verdict({ target: anew, ...ofKey({ decision: 'Suspended' }) })).toBe('TargetReplaced');
  });

  test('does not count where it changes nothing', () => {
    expect(verdict({ target, ...ofKey({ decision: 'Resumed' }) })).toBe('NothingToDecide');
    expect(verdict({ target: heldKey(), ...ofKey({ decision: 'Suspended' }) })).toBe(
      'NothingToDecide',
    );
  });

  test('lifts no suspension that came after it was written', () => {
    const createdMs = SUBMITTED_MS - 5_000;
    const resumed = ofKey({ decision: 'Resumed' }, { createdMs });
    expect(verdict({ target: heldKey(), ...resumed })).toBe('AlreadyDecided');
  });

  test('never undoes a revocation', () => {
    const revoked = heldKey({ state: 'Revoked' });
    for (const decision of ['Suspended', 'Resumed', 'Revoked'] as const) {
      expect(verdict({ target: revoked, ...ofKey({ decision }) })).toBe('NothingToDecide');
    }
  });

  test('needs the right to approve at the store of the key', () => {
    const world = aWorld({ target, ...ofKey({ decision: 'Suspended' }) });
    expect(questionsOf(world)?.decide).toMatchObject({
      verb: 'approve',
      resource: 'clusterkeystores',
      name: 'default',
    });
    const rights = { mayDecide: false };
    expect(verdict({ target, rights, ...ofKey({ decision: 'Suspended' }) })).toBe(
      'ReviewerNotAuthorized',
    );
    const gone = aKeyTarget({ store: undefined });
    expect(verdict({ target: gone, ...ofKey({ decision: 'Suspended' }) })).toBe(
      'StoreNotAvailable',
    );
  });

  test('may come from any layer of the store, and from no other', () => {
    const layered = aKeyTarget({ store: aStore({ layers: ['team', 'security'] }) });
    const suspended = (layer: string) => ofKey({ decision: 'Suspended', layer });
    expect(verdict({ target: layered, ...suspended('security') })).toBe('Decisive');
    expect(verdict({ target: layered, ...suspended('nobody') })).toBe('WrongLayer');
    expect(verdict({ target, ...suspended('security') })).toBe('WrongLayer');
  });

  test('by the applicant switches his key off, and never on again', () => {
    const form = aForm({ editors: ['bob'] });
    const own = aKeyTarget({ form });
    expect(verdict({ target: own, ...ofKey({ decision: 'Suspended' }) })).toBe('Decisive');
    const held = { ...heldKey(), form };
    expect(verdict({ target: held, ...ofKey({ decision: 'Resumed' }) })).toBe(
      'SelfReviewNotAllowed',
    );
    const allowed = { ...held, store: aStore({ selfReview: 'Allowed' }) };
    expect(verdict({ target: allowed, ...ofKey({ decision: 'Resumed' }) })).toBe('Decisive');
  });

  test('by assertion does not switch it on where an account for others filed its form', () => {
    const store = aStore({ attestors: ['portal'] });
    const asserted = ofKey({
      decision: 'Resumed',
      reviewer: { username: 'bob', attestedBy: 'portal' },
    });
    const filedBy = (username: string) => {
      const form = aForm({ applicant: { username, source: 'Authenticated' } });
      return verdict({ target: { ...heldKey(), form, store }, ...asserted });
    };
    expect(filedBy('portal')).toBe('IdentityUnverified');
    expect(filedBy('ann')).toBe('Decisive');
  });

  test('by who could write forms does not switch it on where the store refuses those', () => {
    const store = aStore({ selfReview: 'ForbiddenInNamespace' });
    const asks = (decision: 'Suspended' | 'Resumed') =>
      questionsOf(aWorld({ target: { ...heldKey(), store }, ...ofKey({ decision }) }))?.author;
    expect(asks('Resumed')).not.toEqual([]);
    expect(asks('Suspended')).toEqual([]);
  });

  test('by assertion needs an attestor of the store of the key', () => {
    const asserted = ofKey({
      decision: 'Suspended',
      reviewer: { username: 'bob', attestedBy: 'portal' },
    });
    expect(verdict({ target, ...asserted })).toBe('IdentityUnverified');
    const listed = aKeyTarget({ store: aStore({ attestors: ['portal'] }) });
    expect(verdict({ target: listed, ...asserted })).toBe('Decisive');
  });

  test('that a restored database forgot suspends again and resumes nothing', () => {
    const status = {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Accepted',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    } as const;
    expect(verdict({ target, ...ofKey({ decision: 'Suspended' }, { status }) })).toBe('Decisive');
    expect(verdict({ target: heldKey(), ...ofKey({ decision: 'Resumed' }, { status }) })).toBe(
      'AlreadyDecided',
    );
  });

  test('needs a proof of the policies as reviews of forms do', () => {
    const suspended = ofKey({ decision: 'Suspended' });
    expect(verdict({ target, proof: { type: 'Broken' }, ...suspended })).toBe('IdentityUnverified');
    expect(verdict({ target, proof: { type: 'Unknown' }, ...suspended })).toBe('Prove');
  });
});

describe('a review of a client', () => {
  const target = aClientTarget();

  test('registers, suspends, resumes and revokes it', () => {
    expect(verdict({ target, ...ofClient({ decision: 'Approved' }) })).toBe('Decisive');
    expect(verdict({ target, ...ofClient({ decision: 'Suspended' }) })).toBe('Decisive');
    expect(verdict({ target, ...ofClient({ decision: 'Revoked' }) })).toBe('Decisive');
    const held = aClientTarget({ client: aClient({ state: 'Suspended', held: aHeld() }) });
    expect(verdict({ target: held, ...ofClient({ decision: 'Resumed' }) })).toBe('Decisive');
  });

  test('registers it once', () => {
    const client = aClient({ registeredBy: 'earlier' });
    const registered = aClientTarget({ client });
    expect(verdict({ target: registered, ...ofClient({ decision: 'Approved' }) })).toBe(
      'NothingToDecide',
    );
  });

  test('waits until the client is known', () => {
    const unseen = aClientTarget({ client: undefined });
    expect(verdict({ target: unseen, ...ofClient({ decision: 'Approved' }) })).toBe('Wait');
  });

  test('needs verb approve on the client itself', () => {
    const world = aWorld({ target, ...ofClient({ decision: 'Approved' }) });
    expect(questionsOf(world)?.decide).toEqual({
      verb: 'approve',
      group: 'keyward.dev',
      resource: 'apiclients',
      name: 'shop',
      namespace: 'team',
    });
  });

  test('never opens it by the hand of who could write it, because nobody records who did', () => {
    const rights = { mayDecide: true, mayAuthor: "update apiclients 'shop' in namespace team" };
    const approved = ofClient({ decision: 'Approved' });
    expect(verdict({ target, rights, ...approved })).toBe('SelfReviewNotAllowed');
    expect(messageOf({ target, rights, ...approved })).toContain('update apiclients');
    const asks = (stores: ReturnType<typeof aStore>[], decision: 'Approved' | 'Suspended') =>
      questionsOf(aWorld({ target: aClientTarget({ stores }), ...ofClient({ decision }) }))?.author;
    expect(asks([aStore()], 'Approved')).not.toEqual([]);
    expect(asks([aStore()], 'Suspended')).toEqual([]);
    expect(asks([aStore({ selfReview: 'Allowed' })], 'Approved')).toEqual([]);
  });

  test('by assertion needs an attestor whom every store that reviews clients lists', () => {
    const asserted = ofClient({
      decision: 'Suspended',
      reviewer: { username: 'bob', attestedBy: 'portal' },
    });
    const by = (...stores: readonly ReturnType<typeof aStore>[]) =>
      verdict({ target: aClientTarget({ stores }), ...asserted });
    expect(by()).toBe('IdentityUnverified');
    expect(by(aStore({ attestors: ['portal'] }))).toBe('Decisive');
    expect(by(aStore({ attestors: ['portal'] }), aStore())).toBe('IdentityUnverified');
  });
});
