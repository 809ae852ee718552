/** A gate put together: what it knows, what it counts, how it decides, and its beats. */
import type { Clock } from '../kernel/clock.ts';
import type { Entropy } from '../kernel/entropy.ts';
import type { Logger } from '../kernel/log.ts';
import type { Registry } from '../kernel/metrics.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { GateLedger } from '../ledger/gate.ts';
import { Answers } from './answers.ts';
import { Beats } from './beats.ts';
import type { Decider } from './decision.ts';
import { GateDecider } from './decide.ts';
import { checkKeyring } from './keyringcheck.ts';
import { createGateMeter, watchGate } from './metrics.ts';
import { Products, type Unlisted } from './products.ts';
import { Prover } from './prover.ts';
import { Quotas } from './quotas/quotas.ts';
import { RefusalLog } from './refusallog.ts';
import { ReplayMemory } from './replay.ts';
import { SteadyTime } from './steadytime.ts';
import { UsageCounter } from './usage.ts';
import { Follower } from './view/follower.ts';
import { Freshness } from './view/freshness.ts';
import { KnownIds } from './view/knownids.ts';
import { Records } from './view/records.ts';
import { Surroundings } from './view/surroundings.ts';
import { View } from './view/view.ts';
import { within } from './within.ts';

/** What an administrator chooses. */
export type GateSettings = {
  /** A view of the database that is older decides about nothing. */
  readonly maxStalenessMs: number;
  /** Gates that work on this database, about. */
  readonly replicas: number;
  /** Credentials whose records are kept in memory. */
  readonly recordsMax: number;
  readonly unlisted: Unlisted;
  /** See `DateRules`. */
  readonly phpDates: boolean;
};

/** What a gate is made of. */
export type GateDeps = {
  readonly settings: GateSettings;
  readonly open: () => Promise<GateLedger>;
  readonly keyring: Pick<Keyring, 'pepper' | 'sealing' | 'versions' | 'checkValue'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logger;
  readonly registry: Registry;
};

/** A gate. */
export interface Gate extends Decider {
  /** Begins to read the database; until it is read every answer is StateUnknown. */
  start(): void;
  /** Why it cannot decide now, for anybody to read; undefined: it can. */
  failing(): string | undefined;
  /** Returns leases and writes usage. Stop the listeners first. */
  stop(): Promise<void>;
}

const LOADS_MAX = 512;
const TIDY_MS = SECOND_MS;
const WRITE_MS = 5 * SECOND_MS;
const SWEEP_MS = MINUTE_MS;
const SWEEP_TIMEOUT_MS = 10 * SECOND_MS;
/** Gates tell of their leases every few seconds; who was silent for so long is dead. */
const LEASE_SILENCE_MS = 5 * MINUTE_MS;
const STOP_TIMEOUT_MS = 5 * SECOND_MS;

/** Puts a gate together; `start` begins its work. */
export function createGate(deps: GateDeps): Gate {
  const { clock, log, registry } = deps;
  const parts = createParts(deps);
  const { decider, follower, freshness, quotas, usage } = parts;
  const madeMs = clock.monotonicMs();
  const time = new SteadyTime(clock);
  watchGate(registry, {
    ...parts,
    maxStalenessMs: deps.settings.maxStalenessMs,
    viewAgeMs: () => Math.min(freshness.ageMs(momentOf(clock)), clock.monotonicMs() - madeMs),
  });
  const beats = new Beats({ clock, log }, [
    { everyMs: TIDY_MS, act: () => quotas.tidy() },
    { everyMs: WRITE_MS, act: () => quotas.report() },
    { everyMs: WRITE_MS, act: () => usage.writeDue() },
    { everyMs: SWEEP_MS, act: async () => (time.isSteady() ? sweep(parts, clock) : undefined) },
  ]);
  return {
    decide: (call) => decider.decide(call),
    start() {
      follower.start();
      beats.start();
    },
    failing() {
      if (freshness.isFresh(momentOf(clock))) return undefined;
      return follower.trouble ?? 'what is known of the database is too old';
    },
    async stop() {
      beats.stop();
      await follower.stop();
      const told = Promise.all([quotas.close(), usage.write()]);
      await within(clock, STOP_TIMEOUT_MS, told).catch(() => {
        log.warn('stopped without telling the database everything');
      });
      await follower.close();
    },
  };
}

type Parts = ReturnType<typeof createParts>;

function createParts({ settings, open, keyring, clock, entropy, log, registry }: GateDeps) {
  const meter = createGateMeter(registry);
  const onFailure = meter.databaseFailed;
  const view = new View({
    known: new KnownIds(entropy),
    records: new Records({ recordsMax: settings.recordsMax, loadsMax: LOADS_MAX }, clock),
    around: new Surroundings(),
  });
  const freshness = new Freshness(settings.maxStalenessMs);
  const follower: Follower = new Follower({
    open,
    view,
    freshness,
    clock,
    log,
    check: (ledger) => checkKeyring(ledger, keyring, log),
    onAnotherDatabase: () => quotas.clear(),
  });
  const ledger = (): GateLedger | undefined => follower.ledger;
  const quotas = new Quotas({ ledger, clock, entropy, replicas: settings.replicas, onFailure });
  // While the database does not answer, usage waits rather than getting lost.
  const answering = (): GateLedger | undefined =>
    follower.trouble === undefined ? follower.ledger : undefined;
  const usage = new UsageCounter({ ledger: answering, clock, onFailure });
  const answers = new Answers();
  const decider = new GateDecider({
    view,
    freshness,
    quotas,
    usage,
    answers,
    clock,
    onFailure,
    source: ledger,
    prover: new Prover({ keyring, phpDates: settings.phpDates }),
    products: new Products(view.around, settings.unlisted),
    replay: new ReplayMemory({ ledger, clock, onFailure }),
    refusals: new RefusalLog(log, clock),
    observe: meter.decided,
  });
  return { answers, decider, follower, freshness, onFailure, quotas, usage, view };
}

async function sweep({ follower, onFailure }: Parts, clock: Clock): Promise<void> {
  const { ledger } = follower;
  if (ledger === undefined) return;
  const sweeping = ledger.sweepUses(clock.nowMs(), LEASE_SILENCE_MS);
  await within(clock, SWEEP_TIMEOUT_MS, sweeping).catch(() => onFailure('SweepFailed'));
}

function momentOf(clock: Clock) {
  return { monotonicMs: clock.monotonicMs(), nowMs: clock.nowMs() };
}
