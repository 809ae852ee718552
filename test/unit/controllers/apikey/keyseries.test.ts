import { describe, expect, test } from 'vitest';
import type { ApiKeyStatus } from '../../../../src/api/generated/apikey.ts';
import type { KubeObject } from '../../../../src/api/meta.ts';
import { keyFacts } from '../../../../src/controllers/apikey/keyfacts.ts';
import { keySeries } from '../../../../src/controllers/apikey/keyseries.ts';
import { cacheApiKey, type CachedApiKey } from '../../../../src/controllers/apikey/view.ts';

const TIME = '2026-03-01T00:00:00Z';
const TIME_S = Date.parse(TIME) / 1_000;

function condition(type: string, status: 'True' | 'False' | 'Unknown', reason = 'Some') {
  return { type, status, reason, message: 'm', lastTransitionTime: TIME };
}

function aKey(name: string, status?: ApiKeyStatus, store?: string): CachedApiKey {
  const storeRef = store === undefined ? {} : { storeRef: { kind: 'KeyStore', name: store } };
  const spec = { state: 'Active', deletionPolicy: 'Revoke', ...storeRef };
  const object = {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1' },
    spec,
    ...(status === undefined ? {} : { status }),
  };
  // As the API server sends them, as far as the cache looks.
  return cacheApiKey(object as unknown as KubeObject);
}

function live(reason = 'Active', more: Partial<ApiKeyStatus> = {}): ApiKeyStatus {
  const ready = condition('Ready', reason === 'Active' ? 'True' : 'False', reason);
  return { sequence: 1, issuedTime: TIME, conditions: [ready], ...more };
}

function scrape(keys: readonly CachedApiKey[], objectsMax = 100, isLeading = true): string[] {
  const series = keySeries({
    keys: { values: () => keys.values() },
    objectsMax,
    isLeading: () => isLeading,
  });
  return [...series.pieces()].join('').split('\n');
}

describe('the state of a key, for counting', () => {
  test.each([
    { is: 'Pending', status: undefined },
    { is: 'Pending', status: { conditions: [condition('Ready', 'False', 'PendingReview')] } },
    { is: 'Pending', status: live('NotYetValid') },
    { is: 'Active', status: live() },
    { is: 'Active', status: live('SecretConflict') },
    { is: 'Active', status: live('StoreUnavailable') },
    { is: 'Suspended', status: live('Suspended') },
    { is: 'Expired', status: live('Expired') },
    {
      is: 'Expired',
      status: live('StoreUnavailable', {
        conditions: [
          condition('Ready', 'Unknown', 'StoreUnavailable'),
          condition('Expired', 'True', 'Expired'),
        ],
      }),
    },
    { is: 'Revoked', status: live('Revoked') },
    { is: 'Revoked', status: live('GrantWithdrawn') },
  ])('is $is with $status.conditions.0.reason', ({ is, status }) => {
    expect(keyFacts(aKey('a', status)).state).toBe(is);
  });
});

describe('metrics of keys', () => {
  test('count by store and state, also the states that nobody is in', () => {
    const lines = scrape([aKey('a', live()), aKey('b', live()), aKey('c', undefined, 'seoul')]);
    expect(lines).toContain(
      'keyward_keys{store_kind="ClusterKeyStore",store="default",state="Active"} 2',
    );
    expect(lines).toContain('keyward_keys{store_kind="KeyStore",store="seoul",state="Pending"} 1');
    expect(lines).toContain('keyward_keys{store_kind="KeyStore",store="seoul",state="Expired"} 0');
  });

  test('tell readiness, dates and what is known of each key', () => {
    const status = live('SecretConflict', {
      conditions: [
        condition('Ready', 'False', 'SecretConflict'),
        condition('ExpiringSoon', 'True', 'WithinNoticeWindow'),
      ],
      storeRef: { kind: 'KeyStore', name: 'seoul' },
      expirationTime: '2026-04-01T00:00:00Z',
      rotationDueTime: '2026-05-01T00:00:00Z',
      previous: { retireTime: '2026-06-01T00:00:00Z' },
    });
    const lines = scrape([aKey('a', status)]);
    const of = '{namespace="shop",name="a"';
    for (const line of [
      `keyward_key_ready_status${of},condition="True"} 0`,
      `keyward_key_ready_status${of},condition="False"} 1`,
      `keyward_key_ready_status${of},condition="Unknown"} 0`,
      `keyward_key_info${of},store_kind="KeyStore",store="seoul",state="Active",reason="SecretConflict"} 1`,
      `keyward_key_expiration_timestamp_seconds${of}} ${Date.UTC(2026, 3) / 1_000}`,
      `keyward_key_expiration_notice_timestamp_seconds${of}} ${TIME_S}`,
      `keyward_key_rotation_due_timestamp_seconds${of}} ${Date.UTC(2026, 4) / 1_000}`,
      `keyward_key_previous_retire_timestamp_seconds${of}} ${Date.UTC(2026, 5) / 1_000}`,
      'keyward_key_series_omitted 0',
    ]) {
      expect(lines).toContain(line);
    }
  });

  test('are gone with the key, and are told by the leader only', () => {
    const keys = [aKey('a', live()), aKey('b', live())];
    expect(scrape(keys).some((line) => line.includes('name="b"'))).toBe(true);
    expect(scrape(keys.slice(0, 1)).some((line) => line.includes('name="b"'))).toBe(false);
    expect(scrape(keys, 100, false)).toEqual(['']);
  });

  test('are limited: what is not Ready first, then what ends first; all are counted', () => {
    const ending = (day: number) =>
      live('Active', { expirationTime: new Date(Date.UTC(2026, 0, day)).toISOString() });
    const keys = [
      aKey('without-end', live()),
      aKey('later', ending(20)),
      aKey('sooner', ending(10)),
      aKey('broken', live('SecretConflict')),
    ];
    const named = (lines: readonly string[]) =>
      lines.flatMap((line) => /^keyward_key_info\{.*,name="([\w-]+)"/.exec(line)?.[1] ?? []);
    expect(named(scrape(keys, 2)).toSorted()).toEqual(['broken', 'sooner']);
    expect(scrape(keys, 2)).toContain('keyward_key_series_omitted 2');
    expect(named(scrape(keys, 0))).toEqual([]);
    expect(scrape(keys, 0)).toContain(
      'keyward_keys{store_kind="ClusterKeyStore",store="default",state="Active"} 4',
    );
  });

  test('name fifty stores and sum up the rest, however many somebody makes', () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => aKey(`k${n}`, live(), `store-${n}`));
    const lines = scrape(keys, 0).filter((line) => line.startsWith('keyward_keys{'));
    expect(lines).toHaveLength(51 * 5);
    expect(lines).toContain('keyward_keys{store_kind="",store="(others)",state="Active"} 950');
  });

  test('never hold more than names, store, state and reason (L6)', () => {
    const status = live('Active', {
      keyId: 'KEYID0000000000A',
      keyHint: 'kw_hint',
      remote: { id: 'remote-1', accountId: 'account-1', userId: 'user-1' },
      clientName: 'client-1',
    });
    const text = scrape([aKey('a', status)]).join('\n');
    for (const secret of ['KEYID', 'kw_hint', 'remote-1', 'account-1', 'user-1', 'client-1']) {
      expect(text).not.toContain(secret);
    }
  });

  test('survive names and reasons as long as an object can hold, and odd ones', () => {
    const reason = `A${'x'.repeat(1_023)}`;
    const odd = live('Active', { conditions: [condition('Ready', 'False', '"} 1\nfaked 1')] });
    const lines = scrape([
      aKey('n'.repeat(253), live(reason), 's'.repeat(253)),
      aKey('odd', odd),
      aKey('dates', live('Active', { expirationTime: 'no date' })),
    ]);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(2_000);
    expect(lines.some((line) => line.startsWith('faked'))).toBe(false);
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^(#.*|\w+(\{(\w+="([^"\\]|\\["\\n])*",?)*\})? -?\d+)$/);
    }
  });
});
