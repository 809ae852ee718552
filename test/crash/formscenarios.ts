/**
 * What happens to keys that are applied for: the operator may be killed between the form, the round, the
 * decision, the grant and the key, at every one of its calls and commits.
 */
import assert from 'node:assert/strict';
import { API_CLIENTS } from '../../src/api/names.ts';
import { accepted, ROB, SUE } from '../support/crowd.ts';
import { allowLease } from './lease.ts';
import type { Scenario } from './scenario.ts';
import type { Site } from './site.ts';

const APPROVED = { decision: 'Approved' } as const;
const DENIED = { decision: 'Denied' } as const;

/** All of them; the form and its key are called `key`. */
export const FORM_SCENARIOS: readonly Scenario[] = [
  {
    name: 'apply, approve',
    needs: 'FormsAtVendor',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    run: issue,
  },
  {
    name: 'apply for a key that is there already',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    async run(site) {
      await createKeyOfForm(site);
      await site.untilReady('ApplicationNotFound');
      await issue(site);
    },
  },
  {
    name: 'two layers decide',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: { layers: [{ name: 'first' }, { name: 'second' }] },
    working: ['key'],
    async run(site) {
      await site.people.apply('key');
      await site.people.decided('key', { ...APPROVED, layer: 'first' });
      await site.people.decided('key', { ...APPROVED, layer: 'second' }, SUE);
      await site.untilReady('Active');
    },
  },
  {
    name: 'denied, corrected, approved',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    async run(site) {
      await site.people.apply('key');
      await site.people.decided('key', DENIED);
      await site.people.edit('key', { purpose: 'what was missing' });
      await site.people.decided('key', APPROVED, SUE);
      await site.untilReady('Active');
    },
  },
  {
    name: 'change approved while the key lives',
    needs: 'FormsAtVendor',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    async run(site) {
      await issue(site);
      await site.people.edit('key', { terms: { validity: { expirationDate: '2099-12-31' } } });
      await site.people.decided('key', APPROVED, SUE);
      await site.people.untilForm('key', ({ grant }) => grant?.round === 2);
      await untilKey(site, ({ grant }) => grant?.round === 2);
      await site.untilReady('Active');
    },
  },
  {
    name: 'reissued after exposure, suspended while waiting',
    needs: 'FormsAtVendor',
    overlapSeconds: 3_600,
    applications: {},
    working: ['key'],
    async run(site) {
      await issue(site);
      const requestId = 'leak';
      await site.people.edit('key', {
        reissue: { requestId, reason: 'Exposed', whileWaiting: 'Suspend' },
      });
      await site.untilReady('Suspended');
      await site.people.decided('key', APPROVED, SUE);
      await site.people.untilForm('key', (status) => {
        return status.lastHandledReissueRequestId === requestId;
      });
      await site.untilReady('Active');
    },
  },
  {
    name: 'revoked by round',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: { requiredFor: ['Issue', 'Revoke'] },
    working: [],
    async run(site) {
      await issue(site);
      await site.people.edit('key', { revocation: { justification: 'it is over' } });
      await site.people.decided('key', APPROVED, SUE);
      await site.people.untilGrant('key', 'Ended');
      await untilNoSecret(site);
    },
  },
  {
    name: 'grant withdrawn by review',
    needs: 'FormsAtVendor',
    overlapSeconds: 0,
    applications: {},
    working: [],
    async run(site) {
      await issue(site);
      await judged(site, await site.people.withdraw('key', SUE));
      await site.people.untilGrant('key', 'Ended');
      await untilNoSecret(site);
    },
  },
  {
    name: 'form deleted while its key lives',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: [],
    async run(site) {
      await issue(site);
      await site.people.remove('key');
      await site.people.untilGone('key');
      // The garbage collector takes the key along, in its own time.
      await site.untilGone();
      await untilNoSecret(site);
    },
  },
  {
    name: 'form deleted, its key was there before it',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: [],
    async run(site) {
      await createKeyOfForm(site);
      await issue(site);
      await site.people.remove('key');
      await site.people.untilGone('key');
      await untilNoSecret(site);
    },
  },
  {
    name: 'form recreated under the same name',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    async run(site) {
      await issue(site);
      await site.people.remove('key');
      await site.people.untilGone('key');
      await site.untilGone();
      await issue(site);
    },
  },
  {
    name: 'client suspended',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    shown: 'Suspended',
    async run(site) {
      await issue(site);
      await site.api.patch(API_CLIENTS, [site.namespace, 'acme'], { spec: { state: 'Suspended' } });
      await site.untilReady('Suspended');
    },
  },
  {
    name: 'effective in a moment',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    async run(site) {
      const notBeforeTime = new Date(Date.now() + 3_000).toISOString();
      await site.people.apply('key', { terms: { validity: { notBeforeTime } } });
      await site.people.decided('key', APPROVED);
      await site.untilReady('Active');
    },
  },
  {
    name: 'two reviewers at the same instant',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    async run(site) {
      await site.people.apply('key');
      const reasons = await decideAtOnce(site, [APPROVED, APPROVED]);
      assert.deepEqual(reasons, ['AlreadyDecided', 'Decisive']);
      await site.untilReady('Active');
    },
  },
  {
    name: 'approved and denied at the same instant',
    needs: 'Forms',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    async run(site) {
      await site.people.apply('key');
      const reasons = await decideAtOnce(site, [APPROVED, DENIED]);
      assert.deepEqual(reasons, ['AlreadyDecided', 'Decisive']);
      const isDecided = ({ state }: { readonly state?: string }): boolean => state !== 'Pending';
      const { status } = await site.people.untilForm('key', isDecided);
      if (status?.state === 'Denied') {
        await site.people.edit('key', { purpose: 'another one' });
        await site.people.decided('key', APPROVED, SUE);
      }
      await site.untilReady('Active');
    },
  },
  {
    name: 'a second operator takes over a form',
    needs: 'SharedDatabase',
    overlapSeconds: 0,
    applications: {},
    working: ['key'],
    plansMax: 12,
    prepare: allowLease,
    async run(site) {
      await issue(site);
      await site.people.edit('key', { reissue: { requestId: 'leak', reason: 'Exposed' } });
      await site.people.decided('key', APPROVED, SUE);
      await site.people.untilForm('key', (status) => status.lastHandledReissueRequestId === 'leak');
      await site.untilReady('Active');
    },
  },
];

/** Applied for, approved, issued. */
async function issue(site: Site): Promise<void> {
  await site.people.apply('key');
  await site.people.decided('key', APPROVED);
  await site.untilReady('Active');
}

async function createKeyOfForm(site: Site): Promise<void> {
  await site.createKey('key', { applicationRef: { name: 'key' } });
}

/** Two people decide about the same round at once; what became of it, sorted. */
async function decideAtOnce(
  site: Site,
  [one, other]: readonly [typeof APPROVED | typeof DENIED, typeof APPROVED | typeof DENIED],
): Promise<readonly string[]> {
  const form = await site.people.untilState('key', 'Pending');
  const hash = form.status?.round?.requestHash;
  const names = await Promise.all([
    site.people.review(form, { ...one, hash }, ROB),
    site.people.review(form, { ...other, hash }, SUE),
  ]);
  const reasons = await Promise.all(names.map((name) => judged(site, name)));
  return reasons.toSorted();
}

/** Reason for which a review counted or not, once it was judged. */
async function judged(site: Site, name: string): Promise<string> {
  return accepted(await site.people.untilJudged(name))?.reason ?? '';
}

async function untilKey(
  site: Site,
  isSo: (status: { readonly grant?: { readonly round?: number } }) => boolean,
): Promise<void> {
  await site.until(async () => {
    // What an ApiKey shows of its grant.
    const status = (await site.key())?.status as Parameters<typeof isSo>[0] | undefined;
    if (status === undefined || !isSo(status)) throw new Error('the key does not follow yet');
  });
}

async function untilNoSecret(site: Site): Promise<void> {
  await site.until(async () => {
    if ((await site.secret()) !== undefined) throw new Error('the Secret is still there');
  });
}
