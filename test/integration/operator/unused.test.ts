/** A previous value outlives its overlap while gates see it, which are played here through their own port. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVENTS } from '../../../src/api/names.ts';
import { QUIET_MS } from '../../../src/controllers/apikey/unused.ts';
import { usageOf, type GateLedger } from '../../../src/ledger/gate.ts';
import { openGateLedger } from '../../../src/ledger/open.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { condition, Site, type Key } from '../../support/operator.site.ts';

let site: Site;
let gate: GateLedger;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane() });
  await site.start();
  gate = await openGateLedger(site.database);
});

afterAll(async () => {
  await gate.close();
  await site.close();
});

const WISH = { retirePrevious: 'WhenUnused', overlapSeconds: 3 };

/** Issues a key and rotates it; answers the value and the keyId before. */
async function rotated(name: string): Promise<{ readonly value: string; readonly keyId: string }> {
  const { status } = await site.issue(name, { rotation: WISH });
  const value = (await site.values(name))['apiKey'] ?? '';
  await site.edit(name, { rotation: { requestId: 'one' } });
  await site.untilRotated(name, 'one');
  return { value, keyId: status.keyId ?? '' };
}

/** For overlaps: in the database of an operator that does not run. */
async function halfAnHourPasses(): Promise<void> {
  await site.operator.terminate();
  const db = new DatabaseSync(join(site.folder, 'keyward.db'));
  db.exec(`UPDATE credentials SET overlap_end = overlap_end - ${QUIET_MS}`);
  db.close();
  await site.start();
}

const rotatingOf = (key: Key): string | undefined => condition(key, 'Rotating')?.reason;

describe('retirePrevious: WhenUnused', () => {
  test('ends a value that nobody uses after half an hour, or its overlap where that is longer', async () => {
    const { value } = await rotated('quiet');
    expect(rotatingOf(await site.key('quiet'))).toBe('OverlapActive');
    expect(await site.verdict(value)).toBe('Allowed');
    await halfAnHourPasses();
    await site.until('quiet', 'Active');
    expect(await site.verdict(value)).not.toBe('Allowed');
  });

  test('keeps one that is used, and says so', async () => {
    const { value, keyId } = await rotated('used');
    await gate.reportUsage([{ uid: usageOf(keyId), uses: 1, lastUsedMs: Date.now() }]);
    await halfAnHourPasses();
    await eventually(async () =>
      expect(rotatingOf(await site.key('used'))).toBe('PreviousStillUsed'),
    );
    expect(await site.verdict(value)).toBe('Allowed');
    await site.until('used', 'Rotating');
    await eventually(async () => {
      const events = await site.api.list(EVENTS, site.namespace);
      const reasons = events.map((event) => (event as { readonly reason?: string }).reason);
      expect(reasons).toContain('PreviousKeyStillUsed');
    });
    await site.edit('used', { rotation: { retirePrevious: 'AfterOverlap' } });
    await site.until('used', 'Active');
    expect(await site.verdict(value)).not.toBe('Allowed');
  });

  test('says of a Dual key that nobody can tell', async () => {
    await site.create('dual', { format: 'Dual', rotation: WISH });
    const key = await site.until('dual', 'UnsupportedByStore');
    expect(condition(key, 'SpecSupported')?.message).toContain('WhenUnused');
  });
});
