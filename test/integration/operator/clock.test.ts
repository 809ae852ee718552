/** The operator's machine is a day ahead of the API server's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { DAY_MS, MINUTE_MS } from '../../../src/kernel/time.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { Site } from '../../support/operator.site.ts';

let site: Site;

beforeAll(async () => {
  const program = join(import.meta.dirname, '..', '..', 'support', 'wrongclock.ts');
  site = await Site.open({ access: sharedControlPlane(), program });
  await site.start();
});

afterAll(() => site.close());

test('dates are the API server’s, nothing is retired meanwhile, and all goes on when the clock is right', async () => {
  const validity = { durationDays: 90 };
  const { metadata } = await site.issue('web', { terms: { validity } });
  const endMs = (await site.record(metadata.uid))?.terms.endMs ?? NaN;
  expect(Math.abs(endMs - Date.now() - 90 * DAY_MS)).toBeLessThan(MINUTE_MS);

  await site.edit('web', { rotation: { requestId: 'one', overlapSeconds: 1 } });
  await site.untilRotated('web', 'one');
  const [old] = (await site.record(metadata.uid))?.credentials ?? [];
  const retireAtMs = old?.retireAtMs ?? NaN;
  expect(Math.abs(retireAtMs - Date.now())).toBeLessThan(MINUTE_MS);

  await eventually(async () => expect(Date.now()).toBeGreaterThan(retireAtMs));
  await site.edit('web', { displayName: 'seen while in doubt' });
  await site.untilSeen('web');
  expect((await site.record(metadata.uid))?.credentials).toHaveLength(2);

  process.kill(site.operator.pid, 'SIGUSR2');
  await site.edit('web', { displayName: 'seen again' });
  await eventually(async () =>
    expect((await site.record(metadata.uid))?.credentials).toHaveLength(1),
  );
});
