/** ApiKeys without a form in each situation, by the status code of their controller. */
import type { ApiKeySpec } from '../../../src/api/generated/apikey.ts';
import { wantedStatus } from '../../../src/controllers/apikey/status.ts';
import type { World } from '../../../src/controllers/apikey/world.ts';
import { KeywardError, type ErrorClass } from '../../../src/kernel/errors.ts';
import { DAY_MS, HOUR_MS } from '../../../src/kernel/time.ts';
import type { CredentialRecord, KeyRecord } from '../../../src/ledger/record.ts';
import {
  aCredential,
  aKey,
  anOpenCredential,
  aRecord,
  aRotation,
  aSecret,
  aSpec,
  aStore,
  aWorld,
  NOW_MS,
  OPEN_TERMS,
} from '../../support/world.ts';
import { asked, settled } from '../../unit/controllers/apikey/settled.ts';
import { shown, unseen, type Maker, type Makers } from './situation.ts';

const AWAY = {
  type: 'Unusable',
  name: "KeyStore 'vendor'",
  problem: 'the vendor does not answer',
} as const;

const SHOP = { kind: 'Deployment', name: 'shop' } as const;

/** Those that need no form. */
export const KEYS: Makers = {
  'not-seen': () => unseen('ApiKey', aSpec()),
  issuing: look(aWorld()),
  active: look(settled()),
  edited: () => {
    const object = look(settled())();
    return { ...object, metadata: { ...object.metadata, generation: 2 } };
  },
  'expiring-soon': look(settled(withRecord({ terms: endsAt(NOW_MS + 3 * DAY_MS) }))),
  'store-away-live': look(settled({ store: AWAY })),
  rotating: look(
    settled(
      withRecord({
        sequence: 2,
        credentials: [
          aCredential({ state: 'Retiring', retireAtMs: NOW_MS + HOUR_MS }),
          aCredential({ sequence: 2 }),
        ],
      }),
    ),
  ),
  'new-values': look(settled(withRecord({ credentials: [anOpenCredential()] }))),
  'rotation-in-place': look(
    settled({
      store: aStore({ capabilities: { ...aStore().capabilities, rotation: 'InPlace' } }),
      rotationRequest: 'spring',
    }),
  ),
  'rotation-refused': look(
    settled({ ...withRecord({ state: 'Revoked', credentials: [] }), rotationRequest: 'late' }),
  ),
  'workload-missing': look(
    restarting({
      evidence: {
        rollout: {
          troubles: [
            {
              reason: 'TargetMissing',
              target: SHOP,
              message: "Deployment 'shop' does not exist",
              retryAtMs: NOW_MS + HOUR_MS,
            },
          ],
        },
      },
    }),
  ),
  'restart-limited': look(
    restarting(
      withRecord({ rollout: { told: 'older', recentMs: Array.from({ length: 4 }, () => NOW_MS) } }),
    ),
  ),
  'not-yet-valid': look(wish({ terms: { validity: { notBeforeTime: '2027-01-01T00:00:00Z' } } })),
  suspended: look(asked({ state: 'Suspended' }, withRecord({ state: 'Suspended' }))),
  revoked: look(asked({ state: 'Revoked' }, withRecord({ state: 'Revoked', credentials: [] }))),
  expired: look(settled(withRecord({ terms: endsAt(NOW_MS) }))),
  'store-not-available': look(aWorld({ store: { type: 'Missing', name: "KeyStore 'vendor'" } })),
  'client-not-available': look({
    ...wish({ clientRef: { name: 'shop' } }),
    client: { name: 'shop', client: undefined },
  }),
  'store-unavailable': look(aWorld({ store: AWAY })),
  'secret-conflict': look(settled({ evidence: { inspection: { type: 'Foreign' } } })),
  'secret-immutable': look(aWorld(), failing('SecretImmutable', "Secret 'team/web' is immutable")),
  'secret-lost': look(settled(withRecord({ secret: aSecret({ missingSinceMs: NOW_MS }) }))),
  'secret-tampered': look(settled(withRecord({ secret: aSecret({ health: 'Tampered' }) }))),
  'secret-forbidden': look(aWorld(), failing('Forbidden', 'may not create Secrets in team')),
  'invalid-spec': look(wish({ terms: { validity: { timeZone: 'Mars/Olympus' } } })),
  'invalid-spec-live': look(asked({ terms: { validity: { timeZone: 'Mars/Olympus' } } })),
  'application-required': look(aWorld({ store: aStore({ requiresApplication: true }) })),
  'limit-exceeded': look(aWorld(), failing('LimitExceeded', 'the store takes no more keys')),
  'store-refused': look(settled(), failing('StoreRefused', 'the vendor refuses this name')),
  'namespace-not-allowed': look(aWorld({ store: aStore({ allowsNamespace: false }) })),
  'unsupported-by-store': look(wish({ deletionPolicy: 'Retain' })),
  'key-not-in-ledger': look(
    aWorld({ key: aKey({ status: { keyId: 'keyId-1', sequence: 1, conditions: [] } }) }),
  ),
  'ownership-ambiguous': look(settled(withCredential({ state: 'Ambiguous', remote: remote() }))),
  'ownership-mismatch': look(
    aWorld(),
    failing('OwnershipMismatch', 'the store leads to another account'),
  ),
  'create-blocked': look(settled(withCredential({ state: 'Blocked', remote: remote() }))),
  'remote-missing': look(
    settled(withCredential({ remote: { ...remote(), missingSinceMs: NOW_MS } })),
  ),
};

function look(world: World, failure?: KeywardError): () => Awaited<ReturnType<Maker>> {
  return () => {
    const { key } = world;
    if (key === undefined) throw new Error('there is no key to look at');
    return shown('ApiKey', key, { spec: key.spec, status: wantedStatus(world, failure) });
  };
}

/** Its values changed, and a workload has to be restarted for that. */
function restarting(change: Partial<World>): World {
  const rotation = aRotation({ restartTargets: [SHOP] });
  return asked({ rotation }, { ...withRecord({ rollout: { told: 'older' } }), ...change });
}

function wish(spec: Partial<ApiKeySpec>): World {
  return aWorld({ key: aKey({ spec: aSpec(spec) }) });
}

function withRecord(change: Partial<KeyRecord>): Partial<World> {
  return { record: aRecord(change) };
}

function withCredential(change: Partial<CredentialRecord>): Partial<World> {
  return withRecord({ credentials: [aCredential(change)] });
}

/** What the ledger knows of a credential at a vendor. */
function remote() {
  return { account: 'account-1', id: 'remote-1', candidates: ['remote-1', 'remote-2'], facts: {} };
}

function endsAt(endMs: number): KeyRecord['terms'] {
  return { ...OPEN_TERMS, endMs };
}

function failing(reason: string, message: string, errorClass: ErrorClass = 'Waiting') {
  return new KeywardError(errorClass, { reason, message, retryAfterMs: 1_000 });
}
