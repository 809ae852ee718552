/** What is in force for a client, and what of it goes on in another cluster. */
import { describe, expect, it } from 'vitest';
import { carryClient, clientState } from '../../../src/ledger/clients.ts';
import type { ClientRecord, HeldState } from '../../../src/ledger/documents.ts';

const OLD: ClientRecord = {
  clusterId: 'cluster-1',
  uid: 'client-1',
  namespace: 'shop',
  name: 'acme',
  revision: 7,
  phase: 'Live',
  state: 'Active',
  registeredBy: 'review-1',
};
const HOME = { clusterId: 'cluster-2', uid: 'client-2', wanted: 'Active' } as const;

function held(state: HeldState['state']): HeldState {
  return { state, reviewUid: 'r', reviewer: 'eve', message: 'why', sinceMs: 1 };
}

describe('a client', () => {
  it('is as its spec says, unless a reviewer said more', () => {
    expect(clientState('Active', undefined)).toBe('Active');
    expect(clientState('Active', held('Suspended'))).toBe('Suspended');
  });

  it.each(['Suspended', 'Revoked'] as const)(
    '%s by a reviewer is so in another cluster',
    (state) => {
      const carried = carryClient({ ...OLD, state, held: held(state) }, HOME);
      expect(carried).toMatchObject({ state, held: { reviewer: 'eve' }, uid: 'client-2' });
    },
  );

  it('stays registered, as a new record', () => {
    const { wanted: _, ...place } = HOME;
    expect(carryClient(OLD, HOME)).toEqual({ ...OLD, ...place, revision: 0 });
  });
});
