/**
 * 500 tries to get a key that nobody approved, by people who may not decide at all or not about this form:
 * at once, in advance, and while the form is being edited. What counts is not what the status says, but
 * the ledger, the Secrets and the calls at the vendor.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NaverFake } from '../../../fakes/naver/fake.ts';
import {
  API_CLIENTS,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  KEY_STORES,
  SECRETS,
} from '../../../src/api/names.ts';
import { ATTACKS, apply, hashOf, type Scene } from '../../support/attacks.ts';
import { createChance } from '../../support/chance.ts';
import { ANN, Crowd, employ, ROB } from '../../support/crowd.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, storeObject } from '../../support/operator.site.ts';
import { untilProven } from '../../support/operator.ts';
import { inParallel } from '../../support/parallel.ts';
import { VendorSite } from '../../support/vendor.site.ts';

const TRIES = 500;
/** At a time; more than the operator works on. */
const WIDTH = 24;
/** No try waits longer than this before its second request, and most of them much less. */
const HESITATION_MAX_MS = 2_500;
const SEED = Number(process.env['KEYWARD_RACE_SEED'] ?? Date.now() % 1_000_000);
const STORES = ['reviewed', 'vendor'] as const;
const RULES = { requirement: 'Always', attestors: [{ username: 'portal' }] };
/** A form and its reviews have been looked at by then, also on a busy machine. */
const JUDGED_WITHIN_MS = 90_000;
/** On a machine that is busy with other suites. */
const LONG = { timeout: 240_000 };

describe(`${TRIES} tries, seed ${SEED}`, () => {
  let vendor: VendorSite<NaverFake>;
  const crowds = new Map<string, Crowd>();
  const contents = new Map<string, Scene['content']>();

  beforeAll(async () => {
    console.log(`report: race of approvals: seed ${SEED} (KEYWARD_RACE_SEED)`);
    vendor = await VendorSite.open(new NaverFake());
    const { api, namespace, operator } = vendor.site;
    await employ(api);
    await api.create(KEY_STORES, storeObject(namespace, 'reviewed', {}, { applications: RULES }));
    await api.patch(KEY_STORES, [namespace, 'vendor'], { spec: { applications: RULES } });
    for (const store of STORES) crowds.set(store, new Crowd({ api, namespace, store }));
    await crowdOf('reviewed').register();
    const client = {
      name: 'acme',
      uid: (await api.get(API_CLIENTS, namespace, 'acme'))?.metadata.uid ?? '',
    };
    for (const name of STORES) {
      const uid = (await api.get(KEY_STORES, namespace, name))?.metadata.uid ?? '';
      const format = name === 'vendor' ? 'Dual' : 'Opaque';
      contents.set(name, { storeRef: { kind: 'KeyStore', name, uid }, client, format });
    }
    await untilProven(operator);
  });

  afterAll(() => vendor.close());

  function crowdOf(store: string): Crowd {
    const crowd = crowds.get(store);
    if (crowd === undefined) throw new Error(`nobody is at store ${store}`);
    return crowd;
  }

  function sceneOf(name: string, store: string, hesitation: number): Scene {
    const { api, namespace } = vendor.site;
    const content = contents.get(store);
    if (content === undefined) throw new Error(`store ${store} is not known`);
    const hesitate = (): Promise<void> => pause(hesitation ** 3 * HESITATION_MAX_MS);
    return { api, namespace, crowd: crowdOf(store), content, name, hesitate };
  }

  test.each(STORES)(
    'what the tries compute in advance is what is read, in store %s',
    async (store) => {
      const scene = sceneOf(`known-${store}`, store, 0);
      const form = await apply(scene, ANN);
      const seen = await scene.crowd.untilState(scene.name, 'Pending');
      expect(hashOf(scene, form)).toBe(seen.status?.round?.requestHash);
    },
  );

  test('not one of them makes a key, and every form and review was looked at', LONG, async () => {
    const chance = createChance(SEED);
    const tries = Array.from({ length: TRIES }, (_, nth) => ({
      attack: ATTACKS[nth % ATTACKS.length],
      store: chance() < 0.8 ? 'reviewed' : 'vendor',
      hesitation: chance(),
      order: chance(),
      name: `try-${nth}`,
    }));
    const mixed = tries.toSorted((a, b) => a.order - b.order);
    await inParallel(mixed, WIDTH, async ({ attack, store, hesitation, name }) => {
      await attack?.run(sceneOf(name, store, hesitation));
    });
    const reasons = await eventually(judgedAll, JUDGED_WITHIN_MS);
    console.log(`report: ${TRIES} tries, reviews that reached the operator: ${text(reasons)}`);
    expect(reasons.get('Counted')).toBeUndefined();
    expect(reasons.get('Decisive')).toBeUndefined();
    expect(await keysAnywhere()).toEqual([]);
  });

  test('after a restart nothing of it counts either', async () => {
    await vendor.site.restart();
    await eventually(judgedAll, JUDGED_WITHIN_MS);
    expect(await keysAnywhere()).toEqual([]);
  });

  test.each(STORES)('an honest approval of such a form issues, in store %s', async (store) => {
    const crowd = crowdOf(store);
    const name = `known-${store}`;
    await crowd.decided(name, { decision: 'Approved' }, ROB);
    const key = await vendor.site.until(name, 'Active');
    expect(condition(key, 'Ready')?.status).toBe('True');
    const ledger = await vendor.site.ledger();
    const issued = (await ledger.auditLines({ limit: 1_000_000, after: 0 })).filter(
      ({ action, uid }) => action === 'KeyIssued' && uid === key.metadata.uid,
    );
    expect(issued).toHaveLength(1);
  });

  /** How many reviews were judged how; throws while one, or a form, was not yet. */
  async function judgedAll(): Promise<ReadonlyMap<string, number>> {
    const { api, namespace } = vendor.site;
    const reasons = new Map<string, number>();
    for (const review of await api.list(API_KEY_REVIEWS, namespace)) {
      const reason = judgedReason(review.status);
      if (reason === undefined) throw new Error(`${review.metadata.name} waits`);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    for (const { metadata, status } of await api.list(API_KEY_APPLICATIONS, namespace)) {
      const { observedGeneration } = (status ?? {}) as { readonly observedGeneration?: number };
      if (observedGeneration !== metadata.generation) throw new Error(`${metadata.name} waits`);
    }
    return reasons;
  }

  /** Everything in any book that somebody got. */
  async function keysAnywhere(): Promise<readonly string[]> {
    const { api, namespace } = vendor.site;
    const ledger = await vendor.site.ledger();
    const lines = await ledger.auditLines({ limit: 1_000_000, after: 0 });
    const { records } = await ledger.scan(1_000);
    const secrets = await api.list(SECRETS, namespace);
    const names = secrets.map(({ metadata }) => metadata.name);
    return [
      ...lines.map(({ action }) => action).filter((action) => GIVING.has(action)),
      ...records.map(({ name }) => `record of ${name}`),
      ...names.filter((name) => name !== 'vendor-account').map((name) => `Secret ${name}`),
      ...vendor.fake.calls.map(({ operation }) => operation).filter((each) => CHANGING.has(each)),
      ...vendor.ids,
    ];
  }
});

/** What the audit chain would say if somebody had got something. */
const GIVING = new Set(['KeyIssued', 'RoundApproved', 'ReviewCounted', 'RemoteCreateBegun']);
/** Calls that change something at the vendor. */
const CHANGING = new Set(['create', 'update', 'regenerate', 'delete']);

function judgedReason(status: unknown): string | undefined {
  // Of an ApiKeyReview.
  const { conditions = [] } = (status ?? {}) as {
    readonly conditions?: readonly { readonly type: string; readonly reason: string }[];
  };
  const ready = conditions.find(({ type }) => type === 'Ready')?.reason;
  if (ready !== 'Accepted' && ready !== 'Refused') return undefined;
  return conditions.find(({ type }) => type === 'Accepted')?.reason ?? '';
}

function text(reasons: ReadonlyMap<string, number>): string {
  return [...reasons].map(([reason, count]) => `${reason} ${count}`).join(', ');
}
