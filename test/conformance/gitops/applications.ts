/** ApiKeyApplications in each situation: reconciled by the real controller beside a ledger in memory. */
import { API_KEYS } from '../../../src/api/names.ts';
import { DAY_MS, MINUTE_MS } from '../../../src/kernel/time.ts';
import { KeywardError } from '../../../src/kernel/errors.ts';
import type { Draft } from '../../../src/kube/port.ts';
import {
  aFormSpec,
  aFormStore,
  CLIENT,
  REF,
  someRules,
  Workshop,
} from '../../unit/controllers/application/workshop.ts';
import { shown, unseen, type Maker, type Makers } from './situation.ts';

type Spec = Parameters<Workshop['submit']>[0];

const PRESENT = CLIENT as Extract<typeof CLIENT, { readonly type: 'Present' }>;

/** See the file comment. */
export const APPLICATIONS: Makers = {
  'not-seen': () => unseen('ApiKeyApplication', aFormSpec()),
  'awaiting-proof': form({}, (at) => void (at.provenSinceMs = undefined)),
  draft: form({ submission: 'Draft' }),
  incomplete: form(
    { purpose: undefined as never },
    (at) => (at.store = aFormStore({ rules: someRules({ requiredFields: ['Purpose'] }) })),
  ),
  'pending-review': form({}),
  'pending-review-layers': form(
    { storeRef: { kind: 'KeyStore', name: 'desk' } },
    (at) => {
      const layers = [{ name: 'security', approvals: 2 }];
      at.store = aFormStore({ kind: 'KeyStore', name: 'desk', rules: someRules({ layers }) });
    },
    (at) => at.decide('Approved', { layer: 'security' }),
  ),
  withdrawn: form({}, undefined, edit({ submission: 'Withdrawn' })),
  returned: form({}, undefined, (at) => at.decide('Returned')),
  denied: form({}, undefined, (at) => at.decide('Denied')),
  lapsed: form({}, undefined, (at) => at.passDays(15)),
  'in-force': form({}, undefined, (at) => at.decide('Approved')),
  'in-force-automatic': form(
    {},
    (at) => (at.store = aFormStore({ rules: someRules({ mode: 'Automatic' }) })),
  ),
  'in-force-not-reviewed': form(
    {},
    (at) => (at.store = aFormStore({ rules: someRules({ requiredFor: ['Change'] }) })),
  ),
  'change-pending': form({}, undefined, async (at) => {
    await at.decide('Approved');
    await edit({ purpose: 'Checkout and search' })(at);
  }),
  'change-deferred': form({}, undefined, async (at) => {
    await at.decide('Approved');
    await edit({
      purpose: 'Checkout and search',
      reissue: { requestId: 'spring', reason: 'Routine', whileWaiting: 'KeepActive' },
    })(at);
  }),
  'expiring-soon': form(
    { terms: { validity: { expirationDate: '2026-01-31' } } },
    undefined,
    (at) => at.decide('Approved'),
  ),
  'not-yet-effective': form(
    { terms: { validity: { effectiveDate: '2026-02-01' } } },
    undefined,
    (at) => at.decide('Approved'),
  ),
  expired: form(
    { terms: { validity: { expirationDate: '2026-01-31' } } },
    undefined,
    async (at) => {
      await at.decide('Approved');
      await at.passDays(60);
    },
  ),
  revoked: form(
    {},
    (at) => (at.store = aFormStore({ rules: someRules({ requiredFor: ['Issue'] }) })),
    async (at) => {
      await at.decide('Approved');
      await edit({ revocation: { justification: 'The shop closes' } })(at);
    },
  ),
  'grant-withdrawn': form({}, undefined, async (at) => {
    await at.decide('Approved');
    await at.decide('Revoked');
  }),
  'grant-ended': form({}, undefined, async (at) => {
    await at.decide('Approved');
    endClient(at);
    await at.pass();
  }),
  'request-expired': form(
    { terms: { validity: { expirationTime: '2026-01-01T00:00:00Z' } } },
    (at) => (at.store = aFormStore({ rules: someRules({ mode: 'Automatic' }) })),
  ),
  'store-not-available': form(
    {},
    (at) => (at.store = { type: 'Missing', name: "KeyStore 'desk'" }),
  ),
  'client-not-available': form({}, (at) => (at.client = { type: 'Missing', name: 'shop' })),
  'client-not-registered': form({}, (at) => {
    at.client = { ...PRESENT, isRegistered: false };
    at.store = aFormStore({ rules: someRules({ requiredFor: ['Issue', 'Client'] }) });
  }),
  'product-not-available': form(
    { terms: { productRefs: [{ name: 'maps' }] } },
    (at) => (at.products = [{ name: 'maps', state: 'Unavailable' }]),
  ),
  'apikey-conflict': form(
    {},
    (at) => {
      const draft = { metadata: { ...REF }, spec: {} } as unknown as Draft;
      at.cluster.set(API_KEYS, REF, draft);
    },
    (at) => at.decide('Approved'),
  ),
  'no-reviewers': form({}, (at) => (at.store = aFormStore({ rules: someRules({ layers: [] }) }))),
  'namespace-not-allowed': form({}, (at) => (at.store = aFormStore({ allowsNamespace: false }))),
  'unsupported-by-store': form({ format: 'KeyPair' }),
  'identity-unverified': form({}, (at) => {
    // In force only since a moment ago, after the form was written.
    at.provenSinceMs = at.clock.nowMs() + MINUTE_MS;
    at.clock.advance(2 * MINUTE_MS);
  }),
  'ledger-away': form({}, undefined, async (at) => {
    at.ledger.around = () => {
      const message = 'the database does not answer';
      throw new KeywardError('Transient', { reason: 'LedgerUnavailable', message });
    };
    await edit({ purpose: 'Search' })(at);
  }),
};

function form(
  spec: Spec,
  before?: (at: Workshop) => unknown,
  after?: (at: Workshop) => Promise<void>,
): Maker {
  return async () => {
    const at = new Workshop();
    at.put(aFormSpec(spec));
    before?.(at);
    await at.pass();
    await after?.(at);
    const object = at.object();
    if (object === undefined) throw new Error('the form has gone');
    const { generation = 1 } = object.metadata;
    return shown(
      'ApiKeyApplication',
      { ref: REF, generation },
      { spec: object.spec, status: at.status },
    );
  };
}

function edit(change: Spec): (at: Workshop) => Promise<void> {
  return async (at) => {
    at.clock.advance(DAY_MS);
    at.edit(change ?? {});
    await at.pass();
  };
}

function endClient(at: Workshop): void {
  const document = {
    clusterId: 'cluster-1',
    uid: 'client-1',
    namespace: 'team',
    name: 'shop',
    revision: 1,
    phase: 'Ended',
    state: 'Active',
  } as const;
  at.ledger.documents.put({ kind: 'Client', document });
  at.client = { type: 'Missing', name: 'shop' };
}
