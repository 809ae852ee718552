/** Forms and keys as the API server would send them. */
import type { Form, Key, Store } from '../../../src/cli/objects.ts';

/** Noon of the first day of the year; the tests' now. */
export const NOW_MS = Date.parse('2027-01-01T12:00:00Z');

/** What a round hashes to here. */
export const HASH = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** A form that waits for a change, with everything filled in. */
export function changeForm(more: { spec?: object; status?: object } = {}): Form {
  return {
    metadata: {
      name: 'payments',
      namespace: 'shop',
      uid: 'u-1',
      resourceVersion: '1',
      generation: 4,
    },
    spec: {
      submission: 'Submitted',
      clientRef: { name: 'checkout' },
      purpose: 'Checkout creates\npayment intents',
      ...more.spec,
    },
    status: {
      observedGeneration: 4,
      state: 'Pending',
      applicant: { username: 'jin@example.com', source: 'Authenticated' },
      editors: ['ci-bot'],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'ChangePending',
          message: 'a change waits',
          lastTransitionTime: '2027-01-01T10:00:00Z',
        },
      ],
      approvals: { layer: 'security', required: 2, given: 1 },
      round: {
        number: 3,
        type: 'Change',
        requestHash: HASH,
        submittedTime: '2026-12-29T12:00:00Z',
        deadlineTime: '2027-01-12T12:00:00Z',
        changes: [{ field: 'terms.quota.requests', from: '1000', to: '5000' }],
      },
      reviews: [
        {
          name: 'r1',
          decision: 'Approved',
          reviewer: 'mina@example.com',
          layer: 'manager',
          message: 'fine',
          time: '2026-12-30T12:00:00Z',
        },
      ],
      grant: {
        state: 'InForce',
        round: 2,
        hash: HASH,
        terms: { quota: { requests: 1000, period: 'Day' } },
        effectiveTime: '2026-11-01T00:00:00Z',
        expirationTime: '2027-02-01T00:00:00Z',
      },
      ...more.status,
    },
  };
}

/** The key that was issued to it. */
export function issuedKey(more: { spec?: object; status?: object } = {}): Key {
  return {
    metadata: { name: 'payments', namespace: 'shop', uid: 'u-2', resourceVersion: '1' },
    spec: {
      applicationRef: { name: 'payments' },
      state: 'Active',
      deletionPolicy: 'Revoke',
      ...more.spec,
    },
    status: {
      keyId: 'dtrLRMi3o3hGZQeS',
      storeRef: { kind: 'ClusterKeyStore', name: 'default' },
      issuedTime: '2026-11-01T00:00:00Z',
      expirationTime: '2027-02-01T00:00:00Z',
      binding: { name: 'payments' },
      fields: ['apiKey', 'keyId'],
      previous: { keyId: 'old', retireTime: '2027-01-02T11:00:00Z' },
      quota: { limit: 1000, remaining: 400 },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Rotating',
          message: 'live',
          lastTransitionTime: '2027-01-01T10:00:00Z',
        },
      ],
      ...more.status,
    },
  };
}

/** The store with its rules; only what is read of it. */
export function store(): Store {
  const rules = {
    requirement: 'Always',
    requiredFor: ['Issue', 'Change'],
    layers: [
      { name: 'manager', approvals: 1 },
      { name: 'security', approvals: 2 },
    ],
    selfReview: 'Forbidden',
    onDenied: 'Resubmit',
  };
  return {
    metadata: { name: 'default', uid: 'u-3', resourceVersion: '1' },
    spec: { type: 'Builtin', applications: rules },
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Connected',
          message: '',
          lastTransitionTime: '2027-01-01T10:00:00Z',
        },
      ],
    },
  } as unknown as Store;
}
