/**
 * What people want changes while something is open at the vendor: each beginning is cut off at each of
 * its vendor calls and commits, and then something else is wanted. And: two faults in one scenario.
 */
import { describe, expect, test } from 'vitest';
import { SECRETS } from '../../../../../src/api/names.ts';
import type { ApiKeyView } from '../../../../../src/controllers/apikey/world.ts';
import { formatTime, MINUTE_MS } from '../../../../../src/kernel/time.ts';
import type { VendorFault } from '../../../../support/vendor.ts';
import { aKey, aRotation, aSpec } from '../../../../support/world.ts';
import {
  Crash,
  expectWhole,
  onePass,
  put,
  REF,
  settle,
  type VendorClass,
  workshop,
  type Workshop,
} from './workshop.ts';

type Spec = Parameters<typeof aSpec>[0];

const PLAIN = aKey();
const spec = (change: Spec): ApiKeyView => aKey({ spec: aSpec(change) });
const rotating = (change: Parameters<typeof aRotation>[0]): ApiKeyView =>
  spec({ rotation: aRotation(change) });
const START_MS = Date.UTC(2026, 0, 1);
/** In the past after a minute or two of faults, and in any case when the change comes. */
const expiring = (change: Spec = {}): ApiKeyView =>
  spec({
    terms: { validity: { expirationTime: formatTime(START_MS + 5 * MINUTE_MS) } },
    ...change,
  });

type Beginning = {
  readonly name: string;
  readonly before: readonly ApiKeyView[];
  readonly under: ApiKeyView;
};

const BEGINNINGS: readonly Beginning[] = [
  { name: 'an issue', before: [], under: PLAIN },
  { name: 'a rotation', before: [PLAIN], under: rotating({ requestId: 'r1' }) },
  {
    name: 'an emergency',
    before: [PLAIN],
    under: rotating({ requestId: 'r1', urgency: 'Emergency' }),
  },
  { name: 'a suspension', before: [PLAIN], under: spec({ state: 'Suspended' }) },
];

type Change = {
  readonly name: string;
  readonly key: ApiKeyView;
  readonly waitMs?: number;
  readonly meanwhile?: (at: Workshop) => void;
};

const CHANGES: readonly Change[] = [
  { name: 'its suspension', key: spec({ state: 'Suspended' }) },
  { name: 'its resumption', key: PLAIN },
  { name: 'its revocation', key: spec({ state: 'Revoked' }) },
  { name: 'its deletion', key: aKey({ isDeleting: true }) },
  { name: 'an emergency', key: rotating({ requestId: 'r2', urgency: 'Emergency' }) },
  { name: 'a further rotation', key: rotating({ requestId: 'r2', overlapSeconds: 0 }) },
  { name: 'its end', key: expiring(), waitMs: 6 * MINUTE_MS },
  { name: 'a key of the same name', key: aKey({ uid: 'uid-2' }) },
  {
    name: 'the loss of its Secret',
    key: PLAIN,
    meanwhile: ({ cluster }) => void cluster.set(SECRETS, REF, undefined),
  },
];

async function prepared(vendorClass: VendorClass, { before, under }: Beginning): Promise<Workshop> {
  const at = workshop(vendorClass);
  for (const key of before) {
    put(at, key);
    // oxlint-disable-next-line no-await-in-loop
    await settle(at, key);
  }
  put(at, under);
  return at;
}

/** How many vendor calls and commits one undisturbed pass makes. */
async function measure(vendorClass: VendorClass, beginning: Beginning) {
  const at = await prepared(vendorClass, beginning);
  const from = at.vendor.calls.length;
  let commits = 0;
  at.ledger.around = (position) => {
    if (position === 'after') commits += 1;
  };
  await onePass(at, beginning.under);
  return { from, calls: at.vendor.calls.length - from, commits };
}

async function thenChange(at: Workshop, { key, waitMs = 0, meanwhile }: Change): Promise<void> {
  at.vendor.fault = () => undefined;
  at.ledger.around = () => undefined;
  meanwhile?.(at);
  at.clock.advance(waitMs);
  put(at, key);
  await settle(at, key);
  expectWhole(at, key.uid);
  const others = [...at.ledger.records.values()].filter(({ uid }) => uid !== key.uid);
  expect(others.filter(({ phase }) => phase !== 'Ended')).toEqual([]);
}

describe.each(['M', 'D', 'O'] as const)('at a store of class %s', (vendorClass) => {
  describe.each(BEGINNINGS)('$name that was cut off', (beginning) => {
    test.each(CHANGES)('gives way to $name', async (change) => {
      const { from, calls, commits } = await measure(vendorClass, beginning);
      for (let nth = 1; nth <= calls; nth += 1) {
        for (const fault of ['Cut', 'LostAnswer'] as const) {
          // oxlint-disable-next-line no-await-in-loop
          const at = await prepared(vendorClass, beginning);
          at.vendor.fault = (_, call) =>
            call >= from + nth ? faultAt(call - from, nth, fault) : undefined;
          // oxlint-disable-next-line no-await-in-loop
          await onePass(at, beginning.under);
          // oxlint-disable-next-line no-await-in-loop
          await thenChange(at, change);
        }
      }
      for (let nth = 1; nth <= commits; nth += 1) {
        // oxlint-disable-next-line no-await-in-loop
        const at = await prepared(vendorClass, beginning);
        let seen = 0;
        at.ledger.around = (position) => {
          if (position === 'after') seen += 1;
          if (position === 'after' && seen === nth) throw new Crash('killed');
        };
        // oxlint-disable-next-line no-await-in-loop
        await onePass(at, beginning.under);
        // oxlint-disable-next-line no-await-in-loop
        await thenChange(at, change);
      }
      expect(calls + commits).toBeGreaterThan(0);
    });
  });

  test.each(BEGINNINGS)('$name with two faults loses and leaves nothing', async (beginning) => {
    const { from, calls } = await measure(vendorClass, beginning);
    for (let first = 1; first <= calls; first += 1) {
      for (let second = first + 1; second <= first + 5; second += 1) {
        for (const fault of ['Cut', 'LostAnswer'] as const) {
          // oxlint-disable-next-line no-await-in-loop
          const at = await prepared(vendorClass, beginning);
          at.vendor.fault = (_, call) =>
            call === from + first ? 'LostAnswer' : call === from + second ? fault : undefined;
          // oxlint-disable-next-line no-await-in-loop
          await settle(at, beginning.under);
          expectWhole(at);
        }
      }
    }
    expect(calls).toBeGreaterThan(0);
  });
});

/** The vendor is down from the first fault on. */
function faultAt(call: number, nth: number, fault: VendorFault): VendorFault {
  return call === nth ? fault : 'Cut';
}
