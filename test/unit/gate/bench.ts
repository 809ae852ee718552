/** A whole gate over a database in memory, on a clock that tests move. */
import { randomBytes } from 'node:crypto';
import { afterEach } from 'vitest';
import type { Call } from '../../../src/gate/call.ts';
import type { Decision } from '../../../src/gate/decision.ts';
import { createGate, type Gate, type GateDeps, type GateSettings } from '../../../src/gate/gate.ts';
import { silentLogger } from '../../../src/kernel/log.ts';
import { createRegistry, type Registry } from '../../../src/kernel/metrics.ts';
import { FakeClock } from '../../support/clock.ts';
import { aKeyring, issueKey, type IssuedKey } from '../../support/gate.keys.ts';
import { MemoryGateDatabase } from '../../support/gate.memory.ts';

export const SETTINGS: GateSettings = {
  maxStalenessMs: 15_000,
  replicas: 3,
  recordsMax: 100,
  unlisted: 'allow',
  phpDates: false,
};

/** One gate with its surroundings. */
export class Bench {
  readonly clock: FakeClock;
  readonly database: MemoryGateDatabase;
  readonly registry: Registry = createRegistry();
  readonly gate: Gate;

  constructor(
    database = new MemoryGateDatabase(),
    changes: Partial<GateSettings> = {},
    deps: Partial<Omit<GateDeps, 'clock'>> & { readonly clock?: FakeClock } = {},
  ) {
    this.clock = deps.clock ?? new FakeClock();
    this.database = database;
    this.gate = createGate({
      settings: { ...SETTINGS, ...changes },
      open: async () => {
        await database.before('open');
        if (database.trouble.get('open') === 'Hangs') return new Promise(() => undefined);
        return database.open();
      },
      keyring: aKeyring(),
      clock: this.clock,
      entropy: randomBytes,
      log: silentLogger,
      registry: this.registry,
      ...deps,
    });
    benches.add(this);
  }

  /** Starts and reads the database. */
  async start(): Promise<this> {
    this.gate.start();
    await this.pass(300);
    return this;
  }

  /** Lets time pass, and what waits for it go on. */
  pass(ms: number): Promise<void> {
    return this.clock.advanceSettled(ms);
  }

  /** Puts a key into the database. */
  issue(...given: Parameters<typeof issueKey>): IssuedKey {
    const key = issueKey(...given);
    this.database.put(key.record);
    return key;
  }

  /** Decides; with time passing where that takes some. */
  async decide(call: Call): Promise<Decision> {
    const decision = this.gate.decide(call);
    if (!(decision instanceof Promise)) return decision;
    let isDone = false;
    const done = decision.finally(() => {
      isDone = true;
    });
    for (let i = 0; i < 100 && !isDone; i += 1) await this.pass(i < 20 ? 0 : 100);
    return done;
  }

  /** `Allowed`, or the cause of the refusal. */
  async cause(call: Call): Promise<string> {
    const decision = await this.decide(call);
    return decision.type === 'Refused' ? decision.refusal.cause : decision.type;
  }
}

const benches = new Set<Bench>();

afterEach(async () => {
  for (const bench of benches) {
    bench.database.trouble.clear();
    const stopped = bench.gate.stop();
    await bench.pass(6_000);
    await stopped;
  }
  benches.clear();
});

/** A call that shows this value. */
export function showing(value: string, changes: Partial<Call> = {}): Call {
  return {
    credential: { type: 'Value', value },
    profile: 'Keyward',
    method: 'GET',
    host: 'api.example',
    target: '/v1/things',
    isSpoofed: false,
    ...changes,
  };
}
