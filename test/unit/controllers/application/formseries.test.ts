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

test('a store in which a form waits is named, however many drafts name stores that do not exist', () => {
  const made = Array.from({ length: 500 }, (_, n) =>
    aForm('Draft', { storeName: `KeyStore/made-up-${n % 100}` }),
  );
  const waiting = { sinceMs: DAY_MS, deadlineMs: 3 * DAY_MS };
  const lines = scrape([...made, aForm('Pending', { storeName: 'KeyStore/seoul', waiting })]);
  const seoul = '{store_kind="KeyStore",store="seoul"';
  for (const line of [
    `keyward_applications${seoul},state="Pending"} 1`,
    `keyward_application_oldest_pending_timestamp_seconds${seoul}} 86400`,
    `keyward_application_oldest_pending_deadline_timestamp_seconds${seoul}} 259200`,
    'keyward_applications{store_kind="",store="(others)",state="Draft"} 255',
  ]) {
    expect(lines).toContain(line);
  }
});

test('of stores in which no form waits those with most forms are named', () => {
  const few = Array.from({ length: 100 }, (_, n) =>
    aForm('Draft', { storeName: `KeyStore/made-up-${n}` }),
  );
  const many = Array.from({ length: 2 }, () => aForm('Approved', { storeName: 'KeyStore/seoul' }));
  expect(scrape([...few, ...many])).toContain(
    'keyward_applications{store_kind="KeyStore",store="seoul",state="Approved"} 2',
  );
});

test('of the stores that are not named the form that waits longest is timed', () => {
  const forms = Array.from({ length: 60 }, (_, n) =>
    aForm('Pending', {
      storeName: `KeyStore/s${n}`,
      waiting: { sinceMs: (n + 1) * DAY_MS, deadlineMs: 99 * DAY_MS },
    }),
  );
  expect(scrape(forms)).toContain(
    `keyward_application_oldest_pending_timestamp_seconds{store_kind="",store="(others)"} ${51 * 86_400}`,
  );
});
