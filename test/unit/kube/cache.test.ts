import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/kernel/log.ts';
import { RecordCache } from '../../../src/kube/cache.ts';
import { NamespacedCache } from '../../../src/kube/namespacedcache.ts';
import type { Change } from '../../../src/kube/port.ts';

let cache: RecordCache<string>;
let changes: string[];

function object(name: string, uid: string, version: number, namespace = 'n'): object {
  return { metadata: { name, namespace, uid, resourceVersion: String(version) } };
}

function newCache(): RecordCache<string> {
  return new RecordCache(({ metadata }) => {
    if (metadata.name === 'bad') throw new Error('no such thing');
    if (metadata.name === 'hidden') return undefined;
    return `${metadata.uid}@${metadata.resourceVersion}`;
  }, silentLogger);
}

function text({ ref, previous, current }: Change<string>): string {
  return `${ref.namespace}/${ref.name}: ${previous ?? '-'} > ${current ?? '-'}`;
}

beforeEach(() => {
  cache = newCache();
  changes = [];
  cache.onChange((change) => changes.push(text(change)));
});

describe('frames that come twice, late or in the wrong order', () => {
  test('a duplicate changes nothing', () => {
    cache.put(object('a', 'u1', 5));
    cache.put(object('a', 'u1', 5));
    expect(changes).toEqual(['n/a: - > u1@5']);
  });

  test('an older state of the same object is ignored', () => {
    cache.put(object('a', 'u1', 10));
    cache.put(object('a', 'u1', 9));
    expect(cache.get({ namespace: 'n', name: 'a' })).toBe('u1@10');
  });

  test('a late frame of a deleted object does not bring it back', () => {
    cache.put(object('a', 'u1', 5));
    cache.remove(object('a', 'u1', 8));
    cache.put(object('a', 'u1', 7));
    expect(cache.size).toBe(0);
    cache.put(object('a', 'u2', 9));
    cache.remove(object('a', 'u1', 8));
    cache.put(object('a', 'u1', 7));
    expect(cache.get({ namespace: 'n', name: 'a' })).toBe('u2@9');
  });

  test('a recreated object replaces the old one even when its deletion was not seen', () => {
    cache.put(object('a', 'u1', 5));
    cache.put(object('a', 'u2', 9));
    expect(changes.at(-1)).toBe('n/a: u1@5 > u2@9');
  });
});

describe('complete readings', () => {
  test('what a reading does not mention is gone when it ends, and not before', () => {
    cache.put(object('a', 'u1', 5));
    cache.put(object('b', 'u2', 6));
    cache.beginPass('LaterOnly');
    cache.put(object('b', 'u2', 6));
    expect(cache.size).toBe(2);
    cache.endPass('20');
    expect(changes.at(-1)).toBe('n/a: u1@5 > -');
    expect([cache.size, cache.completeLists, cache.synced]).toEqual([1, 1, true]);
  });

  test('an object later than the list was not missing from it', () => {
    cache.put(object('a', 'u1', 30));
    cache.beginPass('LaterOnly');
    cache.endPass('20');
    expect(cache.size).toBe(1);
  });

  test('a restored database is believed once it is known to be one', () => {
    cache.put(object('a', 'u1', 30));
    cache.put(object('b', 'u2', 31));
    cache.beginPass('Everything');
    cache.put(object('a', 'u1', 10));
    cache.endPass('20');
    expect([...cache.values()]).toEqual(['u1@10']);
  });
});

test('one object that cannot be read stops no other, and keeps its last record', () => {
  cache.put(object('bad', 'u1', 5));
  cache.put(object('hidden', 'u2', 5));
  cache.put(object('a', 'u3', 5));
  expect([...cache.values()]).toEqual(['u3@5']);
});

test('a listener that throws does not keep others from hearing', () => {
  const fresh = newCache();
  const heard: string[] = [];
  fresh.onChange(() => {
    throw new Error('boom');
  });
  fresh.onChange((change) => heard.push(text(change)));
  fresh.put(object('a', 'u1', 5));
  expect(heard).toHaveLength(1);
});

describe('several namespaces', () => {
  test('one that is refused does not hold up the others', async () => {
    const other = newCache();
    const joined = new NamespacedCache(
      new Map([
        ['n', cache],
        ['m', other],
      ]),
    );
    cache.beginPass('LaterOnly');
    cache.put(object('a', 'u1', 5));
    cache.endPass('5');
    expect(joined.synced).toBe(false);
    other.markRefused();
    await joined.whenSynced();
    expect(joined.refusedNamespaces).toEqual(['m']);
    expect([joined.size, joined.completeLists]).toEqual([1, 1]);
    expect(joined.get({ namespace: 'm', name: 'a' })).toBeUndefined();
  });

  test('when none can be read nothing is synced', () => {
    cache.markRefused();
    expect(new NamespacedCache(new Map([['n', cache]])).synced).toBe(false);
  });
});
