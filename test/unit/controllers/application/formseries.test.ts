import { expect, test } from 'vitest';
import { formSeries } from '../../../../src/controllers/application/formseries.ts';
import type { CachedForm } from '../../../../src/controllers/application/view.ts';

const DAY_MS = 86_400_000;

function aForm(
  state: string | undefined,
  more: Partial<Pick<CachedForm, 'storeName' | 'waiting'>> = {},
): CachedForm {
  const form = { storeName: 'ClusterKeyStore/default', ...more };
  // Only what the metrics look at.
  return (state === undefined ? form : { ...form, state }) as CachedForm;
}

function scrape(forms: readonly CachedForm[], isLeading = true): string[] {
  const series = formSeries({
    forms: { values: () => forms.values() },
    isLeading: () => isLeading,
  });
  return [...series.pieces()].join('').split('\n');
}

test('forms are counted by store and state, and the one that waits longest is timed', () => {
  const lines = scrape([
    aForm('Pending', { waiting: { sinceMs: 20 * DAY_MS, deadlineMs: 34 * DAY_MS } }),
    aForm('Pending', { waiting: { sinceMs: 10 * DAY_MS, deadlineMs: 24 * DAY_MS } }),
    aForm('Approved'),
    aForm(undefined, { storeName: 'KeyStore/seoul' }),
  ]);
  for (const line of [
    'keyward_applications{store_kind="ClusterKeyStore",store="default",state="Pending"} 2',
    'keyward_applications{store_kind="ClusterKeyStore",store="default",state="Approved"} 1',
    'keyward_applications{store_kind="KeyStore",store="seoul",state="Unknown"} 1',
    'keyward_application_oldest_pending_timestamp_seconds{store_kind="ClusterKeyStore",store="default"} 864000',
    'keyward_application_oldest_pending_deadline_timestamp_seconds{store_kind="ClusterKeyStore",store="default"} 2073600',
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.filter((line) => line.includes('seoul') && line.includes('pending'))).toEqual([]);
});

test('forms are told by the leader only', () => {
  expect(scrape([aForm('Pending')], false)).toEqual(['']);
});

test('stores of forms are bounded, however many names people write', () => {
  const forms = Array.from({ length: 500 }, (_, n) =>
    aForm('Pending', { storeName: `KeyStore/s${n}` }),
  );
  const lines = scrape(forms).filter((line) => line.startsWith('keyward_applications{'));
  expect(lines).toHaveLength(51);
  expect(lines).toContain(
    'keyward_applications{store_kind="",store="(others)",state="Pending"} 450',
  );
});
