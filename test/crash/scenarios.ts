/**
 * What happens to keys in a plan, and what must be so at its end. A scenario only says what people
 * do; the operator may be killed at any moment of it.
 */
import { API_KEYS, NAMESPACES, SECRETS } from '../../src/api/names.ts';
import { eventually } from '../support/eventually.ts';
import type { Site } from './site.ts';

export type Scenario = {
  readonly name: string;
  /** Overlap of rotations in the store. */
  readonly overlapSeconds: number;
  readonly maxKeys?: number;
  readonly run: (site: Site) => Promise<void>;
  /** ApiKeys that must be Ready at the end, and so must their Secrets hold a working value. */
  readonly working: readonly string[];
  /** The namespace itself goes. */
  readonly endsNamespace?: true;
};

const rotation = (requestId: string, more: object = {}) => ({ rotation: { requestId, ...more } });

/** All scenarios; each takes a few seconds without a fault. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'issue',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
    },
  },
  {
    name: 'rotate with overlap, then retire',
    overlapSeconds: 1,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', rotation('r1'));
      await untilSequence(site, 2);
      await site.untilReady('Active');
    },
  },
  {
    name: 'rotate without overlap',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', rotation('r1'));
      await untilSequence(site, 2);
      await site.untilReady('Active');
    },
  },
  {
    name: 'emergency rotation',
    overlapSeconds: 3_600,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', rotation('leak', { urgency: 'Emergency' }));
      await untilSequence(site, 2);
      await site.untilReady('Active');
    },
  },
  {
    name: 'dual key takes turns',
    overlapSeconds: 1,
    working: ['key'],
    async run(site) {
      await site.createKey('key', { format: 'Dual' });
      await site.untilReady('Active');
      await site.patchKey('key', rotation('r1'));
      await untilHandled(site, 'r1');
      await site.untilReady('Active');
    },
  },
  {
    name: 'rotate one slot',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key', { format: 'Dual' });
      await site.untilReady('Active');
      await site.patchKey('key', rotation('r1', { slot: 'Secondary' }));
      await untilHandled(site, 'r1');
      await site.untilReady('Active');
    },
  },
  {
    name: 'suspend and resume',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', { state: 'Suspended' });
      await site.untilReady('Suspended');
      await site.patchKey('key', { state: 'Active' });
      await site.untilReady('Active');
    },
  },
  {
    name: 'revoke',
    overlapSeconds: 0,
    working: [],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', { state: 'Revoked' });
      await site.untilReady('Revoked');
      await untilNoSecret(site);
    },
  },
  {
    name: 'delete',
    overlapSeconds: 0,
    working: [],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.deleteKey('key');
      await site.untilGone();
      await untilNoSecret(site);
    },
  },
  {
    name: 'delete during issue',
    overlapSeconds: 0,
    working: [],
    async run(site) {
      await site.createKey('key');
      await site.deleteKey('key');
      await site.untilGone();
      await untilNoSecret(site);
    },
  },
  {
    name: 'recreate under the same name',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.deleteKey('key');
      await site.untilGone();
      await site.createKey('key');
      await site.untilReady('Active');
    },
  },
  {
    name: 'recreate after the finalizer was stripped',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.deleteKey('key');
      // A person with the right to do so lets the object go at any moment of its end.
      await site.api
        .patch(API_KEYS, [site.namespace, 'key'], { metadata: { finalizers: null } })
        .catch(() => undefined);
      await site.untilGone();
      await site.createKey('key');
      await site.untilReady('Active');
    },
  },
  {
    name: 'Secret edited',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.api.patch(SECRETS, [site.namespace, 'key'], { data: { apiKey: 'YWJj' } });
      await untilSequence(site, 2);
      await site.untilReady('Active');
    },
  },
  {
    name: 'Secret deleted',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.api.remove(SECRETS, site.namespace, 'key');
      await untilSequence(site, 2);
      await site.untilReady('Active');
    },
  },
  {
    name: 'store limit reached, then room',
    overlapSeconds: 0,
    maxKeys: 1,
    working: ['second'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.createKey('second');
      await site.untilReady('LimitExceeded', 'second');
      await site.deleteKey('key');
      await site.untilGone();
      // The waiting key looks again within a minute; an edit asks it to look now.
      await site.patchKey('second', { description: 'look again' });
      await site.untilReady('Active', 'second');
    },
  },
  {
    name: 'namespace deleted',
    overlapSeconds: 0,
    working: [],
    endsNamespace: true,
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.api.remove(NAMESPACES, '', site.namespace);
      await site.untilGone();
    },
  },
];

async function untilSequence(site: Site, sequence: number): Promise<void> {
  await eventually(async () => {
    const status = (await site.key())?.status as { sequence?: number } | undefined;
    if (status?.sequence !== sequence) throw new Error(`sequence is ${status?.sequence}`);
  });
}

async function untilHandled(site: Site, requestId: string): Promise<void> {
  await eventually(async () => {
    const status = (await site.key())?.status as
      | { lastHandledRotationRequestId?: string }
      | undefined;
    if (status?.lastHandledRotationRequestId !== requestId) throw new Error('not rotated yet');
  });
}

async function untilNoSecret(site: Site): Promise<void> {
  await eventually(async () => {
    if ((await site.secret()) !== undefined) throw new Error('the Secret is still there');
  });
}
