/** Retained keys at a vendor: nobody edits them any more, and they end all the same. */
import { expect, test } from 'vitest';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import { RetainedEnds } from '../../../../src/controllers/apikey/retained.ts';
import { formatTime, MINUTE_MS } from '../../../../src/kernel/time.ts';
import { aKey, aRotation, aSpec } from '../../../support/world.ts';
import { onePass, put, settle, workshop } from './remote/workshop.ts';

const START_MS = Date.UTC(2026, 0, 1);
const WITH_END = {
  deletionPolicy: 'Retain',
  terms: { validity: { expirationTime: formatTime(START_MS + 60 * MINUTE_MS) } },
} as const;

test('a retained key ends at the vendor when its validity is over, and not before', async () => {
  const at = workshop('M', { store: { retention: 'Allowed' } });
  const ends = new RetainedEnds();
  const deps: Deps = { ...at.deps, ledger: ends.watch(at.deps.ledger) };
  const site = { ...at, deps };
  const key = aKey({ spec: aSpec(WITH_END) });
  put(site, key);
  await onePass(site, key);
  const going = aKey({ spec: aSpec(WITH_END), isDeleting: true });
  put(site, going);
  await onePass(site, going);
  await ends.endDue(deps);
  expect([...at.vendor.credentials.values()]).toMatchObject([{ enabled: true }]);
  expect(at.ledger.records.get('uid-1')?.phase).toBe('Retained');
  at.clock.advance(61 * MINUTE_MS);
  await ends.endDue(deps);
  await settle(site, going);
  expect(at.vendor.credentials.size).toBe(0);
  expect(at.ledger.records.get('uid-1')).toMatchObject({ phase: 'Ended', credentials: [] });
});

test('of an overlap only the newest value is retained', async () => {
  const at = workshop('D', { store: { retention: 'Allowed' } });
  const plain = aKey({ spec: aSpec({ deletionPolicy: 'Retain' }) });
  put(at, plain);
  await settle(at, plain);
  const spec = aSpec({ deletionPolicy: 'Retain', rotation: aRotation({ requestId: 'r1' }) });
  put(at, aKey({ spec }));
  await settle(at, aKey({ spec }));
  expect(at.vendor.credentials.size).toBe(2);
  put(at, aKey({ spec, isDeleting: true }));
  await settle(at, aKey({ spec, isDeleting: true }));
  expect(at.ledger.records.get('uid-1')).toMatchObject({
    phase: 'Retained',
    credentials: [{ sequence: 2, state: 'Active' }],
  });
  expect(at.vendor.credentials.size).toBe(1);
});

test('a key that never came to be is not retained', async () => {
  const at = workshop('M', { store: { retention: 'Allowed' } });
  const spec = aSpec({ deletionPolicy: 'Retain' });
  put(at, aKey({ spec }));
  at.vendor.fault = (call) => (call === 'create' ? 'LostAnswer' : undefined);
  await onePass(at, aKey({ spec }));
  at.vendor.fault = () => undefined;
  put(at, aKey({ spec, isDeleting: true }));
  await settle(at, aKey({ spec, isDeleting: true }));
  expect(at.ledger.records.get('uid-1')?.phase).toBe('Ended');
  expect(at.vendor.credentials.size).toBe(0);
});
