/** The gate's own way to decide, set up as a case wants it. */
import type { Clock } from '../../src/kernel/clock.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { Answers } from '../../src/gate/answers.ts';
import { GateDecider } from '../../src/gate/decide.ts';
import type { Decision } from '../../src/gate/decision.ts';
import { Products } from '../../src/gate/products.ts';
import { Prover } from '../../src/gate/prover.ts';
import { RefusalLog } from '../../src/gate/refusallog.ts';
import { Freshness } from '../../src/gate/view/freshness.ts';
import { KnownIds } from '../../src/gate/view/knownids.ts';
import { Records, type RecordSource } from '../../src/gate/view/records.ts';
import { Surroundings } from '../../src/gate/view/surroundings.ts';
import { View } from '../../src/gate/view/view.ts';
import { REFUSALS, type Refusal } from '../../src/terms/refusals.ts';
import { createChance } from '../support/chance.ts';
import { KEY_IDS, KEYRING } from './draft.ts';
import { PASSING_MS, STALENESS_MAX_MS, type Outcome, type Raw } from './raw.ts';

const chance = createChance(1);
const known = new KnownIds((bytes) =>
  Buffer.from(Array.from({ length: bytes }, () => chance() * 256)),
);
known.add([KEY_IDS.here, KEY_IDS.gone]);
const answers = new Answers();
const strict = new Prover({ keyring: KEYRING, phpDates: false });
const lenient = new Prover({ keyring: KEYRING, phpDates: true });

/** What the gate answers. */
export async function actual(raw: Raw): Promise<Outcome> {
  let passedMs = 0;
  const clock: Clock = {
    nowMs: () => raw.nowMs + passedMs,
    monotonicMs: () => STALENESS_MAX_MS * 2 + passedMs,
    after: () => () => undefined,
  };
  const view = new View({
    known,
    records: new Records({ recordsMax: 10, loadsMax: 10 }, clock),
    around: surroundingsOf(raw),
  });
  const source = sourceOf(raw);
  if (raw.isCached && raw.record !== undefined) await view.records.load(KEY_IDS.here, source);
  let isOver = false;
  const wait = async <T>(answer: T): Promise<T> => {
    await Promise.resolve();
    if (!isOver && raw.meanwhile === 'KeyChanges') view.records.forget(['key-1']);
    if (!isOver && raw.meanwhile === 'TimePasses') passedMs = PASSING_MS;
    isOver = true;
    return answer;
  };
  let taken = '';
  const used: string[] = [];
  const decider = new GateDecider({
    view,
    answers,
    clock,
    freshness: freshnessOf(raw, clock),
    source: () => (raw.isDatabaseGone ? undefined : source),
    prover: raw.phpDates ? lenient : strict,
    products: new Products(view.around, raw.unlisted),
    quotas: {
      take(subject) {
        const text = ` taken from ${subject}`;
        taken += text;
        const left = usesOf(raw);
        if (!raw.isWaitingForUses) return left;
        const giveBack = (): void => {
          taken = taken.replace(text, '');
        };
        return wait(typeof left === 'number' ? { left, giveBack } : left);
      },
      renewsInSeconds: () => undefined,
    },
    replay: { remember: () => wait(raw.novelty) },
    usage: { count: ({ uid }) => void used.push(uid) },
    refusals: new RefusalLog(silentLogger, clock),
    observe: () => undefined,
    onFailure: () => undefined,
  });
  return describe(raw, await decider.decide(raw.call), { taken, used });
}

function describe(
  { record }: Raw,
  decision: Decision,
  { taken, used }: { readonly taken: string; readonly used: readonly string[] },
): Outcome {
  if (decision.type === 'Refused') {
    const counted = used.length === 0 ? '' : ' but counted';
    return `${decision.refusal.cause}${taken === '' ? '' : ' taken'}${counted}`;
  }
  const { caller, quotaRemaining } = decision;
  const left = quotaRemaining === undefined ? '' : ` ${quotaRemaining} left`;
  const { keyId } = caller;
  const credential = record?.credentials.find((each) => each.keyId === keyId);
  // So that a value can retire when it is used no more.
  const retiring = credential?.state === 'Retiring' ? [`credential/${keyId}`] : [];
  const uncounted = used.join() === ['key-1', ...retiring].join() ? '' : ' but not counted';
  return `Allowed ${caller.keyId}${left}${taken}${uncounted}`;
}

function usesOf({ uses }: Raw): number | Refusal {
  if (uses === 'UsedUp') return REFUSALS.QuotaUsedUp;
  return uses === 'Unknown' ? REFUSALS.QuotaUnknown : uses;
}

function sourceOf({ record }: Raw): RecordSource {
  return { findByKeyId: async (keyId) => (keyId === KEY_IDS.here ? record : undefined) };
}

function freshnessOf({ ageMs }: Raw, clock: Clock): Freshness {
  const freshness = new Freshness(STALENESS_MAX_MS);
  if (ageMs === undefined) return freshness;
  freshness.confirm({ monotonicMs: clock.monotonicMs() - ageMs, nowMs: clock.nowMs() - ageMs });
  return freshness;
}

function surroundingsOf({ client, hold, products }: Raw): Surroundings {
  const around = new Surroundings();
  if (client !== undefined) around.put('Client', client);
  if (hold !== undefined) around.put('Hold', hold);
  for (const product of products) around.put('Product', product);
  return around;
}
