/** One site for many runs: a namespace with a pair of operators, of which the leader gets into trouble. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { API_KEYS, KEY_STORES, NAMESPACES, WORKLOADS } from '../../src/api/names.ts';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { parseKeyring } from '../../src/keys/keyring.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import { allowLease } from '../crash/lease.ts';
import { readyOf } from '../crash/ready.ts';
import type { Rig } from '../crash/rig.ts';
import { eventually } from '../support/eventually.ts';
import type { Loose } from '../support/operator.api.ts';
import { checkJournal, checkKey, type Expected } from './books.ts';
import { Pair, type Place } from './pair.ts';
import type { Plan } from './plan.ts';

/** Whatever is to happen has happened by then, on a busy machine too. */
const WITHIN_MS = 150_000;
/** With a Lease of a few seconds another one leads long before. */
const TAKEOVER_MS = 120_000;

/** What came of a run. */
export type Outcome = {
  readonly plan: Plan;
  /** Struck: at the call that the plan names. Idle: there were fewer calls. */
  readonly strike: 'Struck' | 'Idle';
  /** Changed: another one led before the thaw. Kept: the same one led on. */
  readonly lead: 'Changed' | 'Kept';
  readonly begunLate: number;
  readonly delivered: number;
  readonly landed: number;
  readonly tookMs: number;
  readonly troubles: readonly string[];
};

/** See the file comment. */
export class LeadersSite {
  readonly pair: Pair;
  readonly #rig: Rig;
  readonly #namespace: string;

  constructor(rig: Rig, namespace: string, leaseSeconds: number) {
    this.#rig = rig;
    this.#namespace = namespace;
    this.pair = new Pair(rig, namespace, leaseSeconds);
  }

  async open(): Promise<void> {
    const { api, account } = this.#rig;
    const namespace = this.#namespace;
    await api.create(NAMESPACES, { metadata: { name: namespace } });
    await allowLease({ api, namespace, account });
    await api.create(KEY_STORES, {
      metadata: { name: 'store', namespace },
      spec: { type: 'Builtin', builtin: {} },
    });
    await this.pair.open();
  }

  /** Ends both; every epoch that the database opened was one of the Lease. */
  async close(): Promise<readonly string[]> {
    await this.pair.close();
    const ledger = await openLedgerReader(this.pair.database);
    try {
      const { epoch } = await ledger.identity();
      const { brokenAt } = await ledger.verifyAudit();
      const newest = Math.max(...this.pair.journal.terms.map((term) => term.epoch));
      return [
        ...(brokenAt === undefined ? [] : [`the audit chain is broken at ${brokenAt}`]),
        ...(epoch <= newest ? [] : [`the database has epoch ${epoch}, the Lease ${newest}`]),
      ];
    } finally {
      await ledger.close();
    }
  }

  async run(plan: Plan): Promise<Outcome> {
    const beganMs = performance.now();
    const since = this.pair.journal.writes.length;
    const leader = await eventually(() => this.#leading(), TAKEOVER_MS);
    const named = await this.#prepare(plan);
    const trouble = new Fate(this.pair, leader, plan);
    let keys: readonly Expected[] = [];
    const troubles: string[] = [];
    try {
      await this.#act(plan, named);
      await trouble.over;
      keys = await this.#settle(plan, named);
      troubles.push(...(await this.#compare(keys)));
    } catch (error) {
      troubles.push(`not converged: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      trouble.end();
    }
    const journal = checkJournal(this.pair.journal, since);
    return {
      plan,
      strike: trouble.strike,
      lead: trouble.lead,
      begunLate: journal.begunLate,
      delivered: journal.delivered,
      landed: journal.landed,
      tookMs: performance.now() - beganMs,
      troubles: [...journal.troubles, ...troubles],
    };
  }

  #leading(): Place {
    const { leading } = this.pair;
    if (leading === undefined) throw new Error('nobody leads');
    return leading;
  }

  /** `old` is there and works before the trouble; `fresh` comes with it. */
  async #prepare({ number, act }: Plan): Promise<Named> {
    const named = { old: `old-${number}`, fresh: `fresh-${number}`, workload: `work-${number}` };
    if (act === 'Issue') return named;
    await this.#rig.api.create(WORKLOADS.Deployment, deployment(this.#namespace, named.workload));
    await this.#create(named.old, {
      rotation: {
        overlapSeconds: act === 'Overlap' ? 3_600 : 0,
        restartTargets: [{ kind: 'Deployment', name: named.workload }],
      },
    });
    await this.#untilReady(named.old, 'Active');
    return named;
  }

  async #act({ act }: Plan, { old, fresh }: Named): Promise<void> {
    const { api } = this.#rig;
    const namespace = this.#namespace;
    if (act === 'Delete') await api.remove(API_KEYS, namespace, old);
    else if (act !== 'Issue') {
      const urgency = act === 'Emergency' ? { urgency: 'Emergency' } : {};
      const rotation = { requestId: 'r1', ...urgency };
      await api.patch(API_KEYS, [namespace, old], { spec: { rotation } });
    }
    await this.#create(fresh, {});
  }

  /** Waits until everything that was asked for is done, and says how it must be. */
  async #settle({ act }: Plan, { old, fresh, workload }: Named): Promise<readonly Expected[]> {
    const shown = await this.#untilReady(fresh, 'Active');
    const plain = { isDeleted: false, rotations: 0, live: 1 };
    const keys: Expected[] = [{ ...plain, name: fresh, uid: shown.metadata.uid }];
    if (act === 'Issue') return keys;
    const uid = this.#uids.get(old) ?? '';
    if (act === 'Delete') {
      await eventually(async () => {
        const left = await this.#rig.api.get(API_KEYS, this.#namespace, old);
        if (left !== undefined) throw new Error(`${old} is still there`);
      }, WITHIN_MS);
      return [...keys, { ...plain, name: old, uid, isDeleted: true }];
    }
    await this.#untilReady(old, act === 'Overlap' ? 'Rotating' : 'Active', 'r1');
    const live = act === 'Overlap' ? 2 : 1;
    return [...keys, { ...plain, name: old, uid, rotations: 1, live, workload }];
  }

  /** The ledger may be a commit behind what status says, and a restart two: looked at until it is right. */
  async #compare(keys: readonly Expected[]): Promise<readonly string[]> {
    const keyring = parseKeyring(new Sensitive(readFileSync(this.#rig.masterKeyFile)));
    const ledger = await openLedgerReader(this.pair.database);
    const books = { api: this.#rig.api, namespace: this.#namespace, ledger, keyring };
    try {
      const look = async (): Promise<readonly string[]> =>
        (await Promise.all(keys.map((key) => checkKey(books, key)))).flat();
      await eventually(async () => {
        const troubles = await look();
        if (troubles.length > 0) throw new Error(troubles.join('; '));
      }, WITHIN_MS).catch(() => undefined);
      return await look();
    } finally {
      await ledger.close();
    }
  }

  readonly #uids = new Map<string, string>();

  async #create(name: string, spec: object): Promise<void> {
    const object = {
      metadata: { name, namespace: this.#namespace },
      spec: { storeRef: { kind: 'KeyStore', name: 'store' }, ...spec },
    };
    const { metadata } = await eventually(() => this.#rig.api.create(API_KEYS, object));
    this.#uids.set(name, metadata.uid);
  }

  async #untilReady(name: string, reason: string, requestId?: string): Promise<Loose> {
    return await eventually(async () => {
      const key = await this.#rig.api.get(API_KEYS, this.#namespace, name);
      const { lastHandledRotationRequestId: handled } = (key?.status ?? {}) as {
        readonly lastHandledRotationRequestId?: string;
      };
      const shown = readyOf(key);
      if (key === undefined || shown !== reason || handled !== requestId) {
        throw new Error(`${name} shows ${shown} and ${handled} instead of ${reason}`);
      }
      return key;
    }, WITHIN_MS);
  }
}

type Named = { readonly old: string; readonly fresh: string; readonly workload: string };

function deployment(namespace: string, name: string) {
  const labels = { app: name };
  const containers = [{ name: 'main', image: 'app:1' }];
  const template = { metadata: { labels }, spec: { containers } };
  return {
    metadata: { name, namespace },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  };
}

/** The trouble of one run, from its strike to the thaw. */
class Fate {
  readonly #pair: Pair;
  readonly #place: Place;
  readonly #plan: Plan;
  readonly #name: string;
  readonly over: Promise<void>;
  strike: Outcome['strike'] = 'Idle';
  lead: Outcome['lead'] = 'Kept';

  constructor(pair: Pair, place: Place, plan: Plan) {
    this.#pair = pair;
    this.#place = place;
    this.#plan = plan;
    this.#name = place.name;
    const struck = Promise.withResolvers<void>();
    place.api.arm(plan.aim, () => {
      this.strike = 'Struck';
      if (plan.delayMs === 0) this.#freeze();
      struck.resolve();
    });
    this.over = this.#happen(struck.promise);
    // Whoever waits for it hears of it; a run that fails earlier does not wait.
    this.over.catch(() => undefined);
  }

  /** Whatever is still frozen thaws. */
  end(): void {
    this.#place.api.disarm();
    this.#thaw();
  }

  async #happen(struck: Promise<void>): Promise<void> {
    const { trouble, delayMs, aheadMs } = this.#plan;
    await Promise.race([struck, pause(IDLE_MS)]);
    await pause(delayMs);
    this.#place.api.disarm();
    if (delayMs > 0 || this.strike === 'Idle') this.#freeze();
    if (trouble === 'Blink') await pause(aheadMs);
    else await this.#untilOther();
    if (trouble !== 'Blink') await pause(aheadMs);
    this.#thaw();
    if (trouble === 'Blink') return;
    // Who led before has noticed by now, or will not.
    await eventually(() => {
      if (this.#place.name === this.#name) throw new Error(`${this.#name} runs on`);
    }, TAKEOVER_MS);
  }

  async #untilOther(): Promise<void> {
    await eventually(() => {
      const { leader } = this.#pair.journal;
      if (leader === undefined || leader === this.#name) throw new Error('nobody took over');
    }, TAKEOVER_MS);
    this.lead = 'Changed';
  }

  #freeze(): void {
    const { trouble } = this.#plan;
    const { api, database } = this.#place;
    if (trouble === 'Told') {
      this.#pair.signal(this.#place, 'SIGTERM');
      return;
    }
    if (trouble === 'StoppedDatabase' || trouble === 'HeldDatabase') database.freeze();
    api.freeze(trouble === 'Cut' ? 'Cut' : 'Held');
    const isStopped = trouble === 'Stopped' || trouble === 'StoppedDatabase' || trouble === 'Blink';
    if (isStopped) this.#pair.signal(this.#place, 'SIGSTOP');
  }

  #thaw(): void {
    const { api, database, name } = this.#place;
    // What was on its way first: the worst order for whoever leads now.
    api.thaw();
    database.thaw();
    if (name === this.#name) this.#pair.signal(this.#place, 'SIGCONT');
  }
}

/** A plan whose call does not come strikes at rest. */
const IDLE_MS = 2_500;
