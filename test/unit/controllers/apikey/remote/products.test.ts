/** A key alone opens no protected product (R32): it is subscribed to what its terms name, and to that alone. */
import { describe, expect, it } from 'vitest';
import type { ApiKeySpec } from '../../../../../src/api/generated/apikey.ts';
import type { ApiProductSpec } from '../../../../../src/api/generated/apiproduct.ts';
import { API_KEYS } from '../../../../../src/api/names.ts';
import type { Draft } from '../../../../../src/kube/port.ts';
import { vendorProduct } from '../../../../../src/controllers/apikey/remote/vendorproduct.ts';
import type { VendorCredential, VendorFault } from '../../../../support/vendor.ts';
import { Desk, WEB } from '../desk.ts';

const STORE = { kind: 'KeyStore', name: 'naver' } as const;

function terms(...names: readonly string[]) {
  return { terms: { productRefs: names.map((name) => ({ name })) } };
}

async function desk(...names: readonly string[]): Promise<Desk> {
  const made = new Desk('M');
  made.products.set('maps', 'p-maps').set('mail', 'p-mail');
  made.putPlain(terms(...names));
  await made.settle();
  return made;
}

/** The one pass of a periodic look after `byHand`, in which the calls about subscriptions fail. */
async function lookedAtWithoutSubscriptions(
  change: Partial<ApiKeySpec>,
  byHand: (credential: VendorCredential) => void,
): Promise<Desk> {
  const made = await desk('maps');
  made.putPlain({ ...terms('maps'), ...change });
  await made.settle();
  const credential = made.vendor.credentials.get('id-1');
  if (credential === undefined) throw new Error('one credential was expected');
  byHand(credential);
  made.vendor.fault = (call) => (call === 'state' ? 'Cut' : undefined);
  await made.clock.advanceSettled(1_200_000);
  await made.pass();
  return made;
}

function condition({ status }: Desk, type: string) {
  return status?.conditions?.find((each) => each.type === type);
}

describe('a key whose terms name products of the vendor (R32)', () => {
  it('is subscribed to each of them, works, and says who has to accept', async () => {
    const made = await desk('maps', 'mail');
    expect([...made.vendor.relations]).toEqual([
      ['id-1 p-maps', 'Requested'],
      ['id-1 p-mail', 'Requested'],
    ]);
    expect(made.ready).toMatchObject({ status: 'True' });
    expect(condition(made, 'StoreSynced')).toMatchObject({
      status: 'False',
      reason: 'SubscriptionPending',
      message: expect.stringContaining("'maps' (p-maps), 'mail' (p-mail)"),
    });
  });

  it('hears at the periodic look what was decided, and asks again for what was taken away', async () => {
    const made = await desk('maps', 'mail');
    const { vendor, clock } = made;
    vendor.relations.set('id-1 p-maps', 'Accepted').set('id-1 p-mail', 'Denied');
    await clock.advanceSettled(1_200_000);
    await made.settle();
    expect(condition(made, 'StoreSynced')).toMatchObject({
      reason: 'SubscriptionRefused',
      message: expect.stringContaining("'mail' (p-mail)"),
    });
    vendor.relations.set('id-1 p-mail', 'Accepted').delete('id-1 p-maps');
    await clock.advanceSettled(1_200_000);
    await made.settle();
    expect(vendor.relations.get('id-1 p-maps')).toBe('Requested');
    vendor.relations.set('id-1 p-maps', 'Accepted');
    await clock.advanceSettled(1_200_000);
    await made.settle();
    expect(condition(made, 'StoreSynced')?.status ?? 'True').toBe('True');
  });

  it('has its drift repaired in the pass that saw it, though the vendor tells nothing of subscriptions', async () => {
    const made = await lookedAtWithoutSubscriptions({}, ({ values }) => {
      values.set('primaryKey', 'replaced-by-hand-1');
    });
    expect(Object.values(made.entries)).toContain('replaced-by-hand-1');
    expect(condition(made, 'StoreSynced')).toMatchObject({ reason: 'StoreUnavailable' });
  });

  it('is switched off again in the pass that saw it on while suspended, though the vendor tells nothing of subscriptions', async () => {
    const made = await lookedAtWithoutSubscriptions({ state: 'Suspended' }, (credential) => {
      credential.enabled = true;
    });
    expect(made.vendor.credentials.get('id-1')?.enabled).toBe(false);
  });

  it('is not asked about its subscriptions when it could not be read', async () => {
    const made = await desk('maps');
    made.vendor.fault = (call) => (call === 'read' ? 'Cut' : undefined);
    await made.clock.advanceSettled(1_200_000);
    made.vendor.calls.length = 0;
    await made.pass();
    expect(made.vendor.calls).toEqual(['read']);
    expect(condition(made, 'StoreSynced')).toMatchObject({ reason: 'StoreUnavailable' });
  });

  it('is taken out of what its terms name no more, and of nothing that others asked for', async () => {
    const made = await desk('maps', 'mail');
    made.vendor.relations.set('id-1 p-by-hand', 'Accepted');
    made.putPlain(terms('mail'));
    await made.settle();
    expect([...made.vendor.relations.keys()]).toEqual(['id-1 p-mail', 'id-1 p-by-hand']);
    made.putPlain({});
    await made.settle();
    expect([...made.vendor.relations.keys()]).toEqual(['id-1 p-by-hand']);
    expect(made.record?.credentials[0]?.remote?.subscriptions).toEqual([]);
  });

  it('is not issued while a product cannot be had there, which is named', async () => {
    const made = new Desk('M');
    made.products.set('maps', 'p-maps');
    made.putPlain(terms('maps', 'unknown'));
    await made.settle();
    expect(made.vendor.calls).toEqual([]);
    expect(made.ready).toMatchObject({
      reason: 'UnsupportedByStore',
      message: expect.stringContaining("spec.terms.productRefs 'unknown'"),
    });
  });

  it('goes on with what it has while a product is not to be had any more', async () => {
    const made = await desk('maps');
    made.products.delete('maps');
    await made.settle();
    expect([...made.vendor.relations.keys()]).toEqual(['id-1 p-maps']);
    expect(condition(made, 'SpecSupported')?.status).toBe('False');
  });

  it.each(['Cut', 'LostAnswer'] as const)(
    'ends up with exactly what its terms name, wherever a call ends in %s',
    async (fault: VendorFault) => {
      expect.hasAssertions();
      for (let nth = 1; nth <= 30; nth += 1) {
        const broken = (made: Desk) => {
          made.vendor.fault = (_, at) => (at === nth ? fault : undefined);
        };
        // oxlint-disable-next-line no-await-in-loop
        await expectOnlyMail(`${fault} ${nth}`, broken);
      }
    },
    60_000,
  );

  it('leaves nothing behind where the operator dies around any commit', async () => {
    expect.hasAssertions();
    for (const position of ['before', 'after'] as const) {
      for (let nth = 1; nth <= 14; nth += 1) {
        const broken = (made: Desk) => {
          let count = 0;
          made.memory.around = (at) => {
            if (at === position) count += 1;
            if (at === position && count === nth) throw new Error('died');
          };
        };
        // oxlint-disable-next-line no-await-in-loop
        await expectOnlyMail(`${position} ${nth}`, broken);
      }
    }
  }, 60_000);
});

/** Two products, then one of them: when all has settled, or in the moment of the trouble. */
async function expectOnlyMail(where: string, broken: (made: Desk) => void): Promise<void> {
  for (const when of ['later', 'at once'] as const) {
    const made = new Desk('M');
    made.products.set('maps', 'p-maps').set('mail', 'p-mail');
    broken(made);
    made.putPlain(terms('maps', 'mail'));
    // oxlint-disable-next-line no-await-in-loop
    await (when === 'later' ? made.settle() : made.pass().catch(() => undefined));
    made.putPlain(terms('mail'));
    // oxlint-disable-next-line no-await-in-loop
    await made.settle();
    const there = [...made.vendor.relations];
    const here = made.record?.credentials[0]?.remote?.subscriptions;
    expect([where, when, there, here, made.vendorTrouble]).toEqual([
      where,
      when,
      [['id-1 p-mail', 'Requested']],
      [{ product: 'mail', productId: 'p-mail', state: 'Requested' }],
      undefined,
    ]);
  }
}

describe('a product at a vendor', () => {
  const spec = {
    access: 'ByGrant',
    state: 'Published',
    external: [{ storeRef: STORE, productId: 'p1' }],
  } as unknown as ApiProductSpec;
  const from = { store: STORE, labels: {}, isGranted: true };
  const idOf = (change: Partial<ApiProductSpec>, seeker: Partial<typeof from> = {}) =>
    vendorProduct(
      'maps',
      { isDeleting: false, spec: { ...spec, ...change } },
      {
        ...from,
        ...seeker,
      },
    ).productId;

  it('is had under its id there, by grant or where it is open', () => {
    expect(idOf({})).toBe('p1');
    expect(idOf({}, { isGranted: false })).toBeUndefined();
    expect(idOf({ access: 'Open' }, { isGranted: false })).toBe('p1');
  });

  it('is not had elsewhere, deleted, unknown, or where it is not let in', () => {
    expect(idOf({ external: [] })).toBeUndefined();
    expect(idOf({ allowedStores: [{ kind: 'KeyStore', name: 'other' }] })).toBeUndefined();
    expect(vendorProduct('maps', undefined, from).productId).toBeUndefined();
    expect(vendorProduct('maps', { isDeleting: true, spec }, from).productId).toBeUndefined();
    const wrongKind = { kind: 'ClusterKeyStore', name: 'naver' } as const;
    expect(
      vendorProduct('maps', { isDeleting: false, spec }, { ...from, store: wrongKind }).productId,
    ).toBeUndefined();
  });
});

it('that outlives its object is subscribed to nothing that its last terms do not name', async () => {
  const made = await desk('maps', 'mail');
  made.store = { ...made.store, retention: 'Allowed' };
  made.vendor.fault = (call) => (call === 'unsubscribe' ? 'Cut' : undefined);
  made.putPlain({ ...terms('maps'), deletionPolicy: 'Retain' });
  const object = made.cluster.find(API_KEYS, WEB);
  if (object === undefined) throw new Error('the ApiKey was expected');
  const metadata = { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
  made.cluster.set(API_KEYS, WEB, { ...object, metadata } as Draft);
  await made.pass();
  expect(made.record?.phase).toBe('Live');
  expect(made.ready?.message).toMatch(/took back the products.*fails: .*deletionPolicy to Revoke/);
  made.vendor.fault = () => undefined;
  await made.clock.advanceSettled(60_000);
  await made.settle();
  expect(made.record?.phase).toBe('Retained');
  expect([...made.vendor.relations.keys()]).toEqual(['id-1 p-maps']);
});
