/**
 * Whether the time of a no tells unknown keys from known ones with a wrong secret: both are presented in
 * random order to a gate in this process, and Welch's t is taken of the two lists, without their slowest
 * tenth, which belongs to the machine (dudect does the same; its bound is 4.5).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Call } from '../../src/gate/call.ts';
import { createGate, type Gate } from '../../src/gate/gate.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { systemEntropy } from '../../src/kernel/entropy.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { createRegistry } from '../../src/kernel/metrics.ts';
import { buildValue, parseValue } from '../../src/keys/format.ts';
import { parseGateKeyring } from '../../src/keys/gatekey.ts';
import { mintKeyId, mintSecret } from '../../src/keys/mint.ts';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { openGateLedger } from '../../src/ledger/open.ts';
import { readFile } from 'node:fs/promises';
import { type KeyDatabase, readValues } from './database.ts';

const WARM_UP = 20_000;
const KEPT = 0.9;
const KNOWN = 1_000;

/** Nanoseconds in the middle of each list, and how far apart the lists are. */
export type TimingFigures = {
  readonly samples: number;
  readonly unknownNs: number;
  readonly wrongNs: number;
  /** Welch's t; beyond 4.5 either way the two can be told apart. */
  readonly t: number;
};

/** Measures with so many samples of each kind. */
export async function measureTiming(
  database: KeyDatabase,
  samples: number,
): Promise<TimingFigures> {
  const gate = createGate({
    settings: {
      maxStalenessMs: 60_000,
      replicas: 1,
      recordsMax: KNOWN * 4,
      unlisted: 'deny',
      phpDates: false,
    },
    open: () => openGateLedger(database.url),
    keyring: parseGateKeyring(new Sensitive(await readFile(database.masterKeyFile))),
    clock: systemClock,
    entropy: systemEntropy,
    log: silentLogger,
    registry: createRegistry(),
  });
  gate.start();
  try {
    while (gate.failing() !== undefined) await pause(50);
    const values = (await readValues(database.valuesFile, KNOWN)).filter((text) => text !== '');
    const knownIds = values.map((value) => parseValue(value)?.keyId ?? '');
    // Once each, so that their records are in memory.
    for (const value of values) await gate.decide(callWith(value));
    sample(gate, knownIds, WARM_UP);
    // The feed is read in between, as it would be.
    const all: Lists = { unknown: [], wrong: [] };
    for (let taken = 0; taken < samples; taken += WARM_UP) {
      const some = sample(gate, knownIds, Math.min(WARM_UP, samples - taken));
      all.unknown.push(...some.unknown);
      all.wrong.push(...some.wrong);
      await pause(1);
    }
    return compare(all, samples);
  } finally {
    await gate.stop();
  }
}

type Lists = { readonly unknown: number[]; readonly wrong: number[] };

function sample(gate: Gate, knownIds: readonly string[], count: number): Lists {
  const lists: Lists = { unknown: [], wrong: [] };
  while (lists.unknown.length < count || lists.wrong.length < count) {
    const isKnown = Math.random() < 0.5;
    const keyId = isKnown
      ? (knownIds[Math.floor(Math.random() * knownIds.length)] ?? '')
      : mintKeyId(systemEntropy);
    const call = callWith(buildValue({ prefix: 'kw', keyId, secret: mintSecret(systemEntropy) }));
    const began = process.hrtime.bigint();
    const decision = gate.decide(call);
    const tookNs = Number(process.hrtime.bigint() - began);
    if (decision instanceof Promise || decision.type === 'Allowed') {
      throw new Error('a made-up key was not refused at once');
    }
    const list = isKnown ? lists.wrong : lists.unknown;
    if (list.length < count) list.push(tookNs);
  }
  return lists;
}

function callWith(value: string): Call {
  return {
    credential: { type: 'Value', value },
    profile: 'Keyward',
    method: 'GET',
    target: '/v1/places/42',
    isSpoofed: false,
  };
}

function compare({ unknown, wrong }: Lists, samples: number): TimingFigures {
  // One bound for both: cutting each at its own would hide what is looked for.
  const bound =
    [...unknown, ...wrong].toSorted((a, b) => a - b)[Math.floor(KEPT * 2 * samples)] ?? 0;
  const a = momentsOf(unknown.filter((ns) => ns <= bound));
  const b = momentsOf(wrong.filter((ns) => ns <= bound));
  return {
    samples,
    unknownNs: a.mean,
    wrongNs: b.mean,
    t: (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count),
  };
}

function momentsOf(values: readonly number[]) {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}
