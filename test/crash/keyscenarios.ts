/**
 * What happens to keys in a plan, and what must be so at its end. A scenario only says what people
 * do; the operator may be killed at any moment of it.
 */
import { API_KEYS, NAMESPACES, SECRETS } from '../../src/api/names.ts';
import { allowLease } from './lease.ts';
import type { Scenario } from './scenario.ts';
import type { Site } from './site.ts';

const rotation = (requestId: string, more: object = {}) => ({ rotation: { requestId, ...more } });

/** Scenarios of keys that nobody applies for; each takes a few seconds without a fault. */
export const KEY_SCENARIOS: readonly Scenario[] = [
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
      await untilHandled(site, 'r1');
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
      await untilHandled(site, 'r1');
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
      await untilHandled(site, 'leak');
      await site.untilReady('Active');
    },
  },
  {
    name: 'dual key takes turns',
    needs: 'Dual',
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
    needs: 'Dual',
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
    name: 'suspend',
    overlapSeconds: 0,
    working: ['key'],
    shown: 'Suspended',
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', { state: 'Suspended' });
      await site.untilReady('Suspended');
    },
  },
  {
    name: 'key and secret, rotated',
    needs: 'KeyPair',
    recovery: 'Sealed',
    overlapSeconds: 1,
    working: ['key'],
    async run(site) {
      await site.createKey('key', { format: 'KeyPair' });
      await site.untilReady('Active');
      await site.patchKey('key', rotation('r1'));
      await untilHandled(site, 'r1');
      await site.untilReady('Active');
    },
  },
  {
    name: 'rotate in place',
    needs: 'InPlace',
    overlapSeconds: 3_600,
    working: ['key'],
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', rotation('r1', { method: 'InPlace' }));
      await untilHandled(site, 'r1');
      await site.untilReady('Active');
    },
  },
  {
    name: 'rename',
    needs: 'Names',
    overlapSeconds: 0,
    working: ['key'],
    async run(site) {
      await site.createKey('key', { displayName: 'before', description: 'one' });
      await site.untilReady('Active');
      await site.patchKey('key', { displayName: 'after', description: 'two' });
      await site.untilReady('Active');
    },
  },
  {
    name: 'a stranger creates at the same time',
    needs: 'Unmarked',
    overlapSeconds: 0,
    working: ['key'],
    mayBeAmbiguous: true,
    prepare: (site) => site.vendor?.addStrangersBeforeCreations(3),
    async run(site) {
      await site.createKey('key');
      await site.untilReady(['Active', 'OwnershipAmbiguous']);
    },
  },
  {
    name: 'a second operator takes over',
    needs: 'SharedDatabase',
    overlapSeconds: 1,
    working: ['key'],
    plansMax: 12,
    prepare: allowLease,
    async run(site) {
      await site.createKey('key');
      await site.untilReady('Active');
      await site.patchKey('key', rotation('r1'));
      await untilHandled(site, 'r1');
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
      await site.api.patch(SECRETS, [site.namespace, 'key'], { data: { apiKey: EDITED } });
      await untilHealed(site);
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
      const lost = (await site.secret())?.metadata.uid;
      await site.api.remove(SECRETS, site.namespace, 'key');
      await untilHealed(site, lost);
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
      // The store goes last. Left behind it would keep the namespace, and the controller of namespaces from others.
      await site.untilNamespaceGone();
    },
  },
];

/** What a person wrote over the value: abc. */
const EDITED = 'YWJj';

/** Waits until the Secret is another than the lost one and is as it should be again. */
async function untilHealed(site: Site, lostUid?: string): Promise<void> {
  await site.until(async () => {
    const secret = await site.secret();
    if (secret === undefined || secret.metadata.uid === lostUid) throw new Error('no Secret yet');
    if (secret.data?.['apiKey'] === EDITED) throw new Error('the Secret is still edited');
  });
}

async function untilHandled(site: Site, requestId: string): Promise<void> {
  await site.until(async () => {
    const status = (await site.key())?.status as
      | { lastHandledRotationRequestId?: string }
      | undefined;
    if (status?.lastHandledRotationRequestId !== requestId) throw new Error('not rotated yet');
  });
}

async function untilNoSecret(site: Site): Promise<void> {
  await site.until(async () => {
    if ((await site.secret()) !== undefined) throw new Error('the Secret is still there');
  });
}
