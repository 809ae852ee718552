import { describe, expect, test } from 'vitest';
import type { ObjectMeta, Ref } from '../../../src/api/meta.ts';
import type { Change } from '../../../src/kube/port.ts';
import {
  anyOf,
  connect,
  OwnWrites,
  wakeItself,
  wakeOthers,
  whenAnnotationsChanged,
  whenChanged,
  whenDeletionBegan,
  whenFinalizerGone,
  whenGenerationChanged,
} from '../../../src/runtime/trigger.ts';

type Held = Partial<ObjectMeta>;

const REF: Ref = { namespace: 'team', name: 'a' };

function change(previous: Held | undefined, current: Held | undefined): Change<Held> {
  return { ref: REF, previous, current };
}

describe('predicates', () => {
  test.each([
    { why: 'the object appeared', previous: undefined, current: { generation: 1 }, wakes: true },
    { why: 'the object vanished', previous: { generation: 1 }, current: undefined, wakes: true },
    {
      why: 'the spec was edited',
      previous: { generation: 1 },
      current: { generation: 2 },
      wakes: true,
    },
    {
      why: 'only the status was',
      previous: { generation: 1 },
      current: { generation: 1 },
      wakes: false,
    },
  ])('a change of the generation: $why', ({ previous, current, wakes }) => {
    expect(whenGenerationChanged(change(previous, current))).toBe(wakes);
  });

  test('annotations of interest count, all others do not', () => {
    const when = whenAnnotationsChanged('x/rotate', 'x/mac');
    const rotated = { annotations: { 'x/rotate': '1' } };
    expect(when(change({}, rotated))).toBe(true);
    expect(when(change(rotated, { annotations: { 'x/rotate': '2' } }))).toBe(true);
    expect(when(change(rotated, {}))).toBe(true);
    expect(when(change(rotated, { annotations: { ...rotated.annotations, other: '1' } }))).toBe(
      false,
    );
  });

  test('deletion counts once, when it begins or is first seen', () => {
    const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(whenDeletionBegan(change({}, deleting))).toBe(true);
    expect(whenDeletionBegan(change(undefined, deleting))).toBe(true);
    expect(whenDeletionBegan(change(deleting, deleting))).toBe(false);
    expect(whenDeletionBegan(change(deleting, undefined))).toBe(false);
  });

  test('a finalizer counts when it was there and is not any more', () => {
    const when = whenFinalizerGone('x/revoke');
    const held = { finalizers: ['x/revoke', 'y/other'] };
    expect(when(change(held, { finalizers: ['y/other'] }))).toBe(true);
    expect(when(change(held, undefined))).toBe(true);
    expect(when(change(held, held))).toBe(false);
    expect(when(change({}, {}))).toBe(false);
  });

  test('any field of a record can be compared', () => {
    const when = whenChanged((record: { readonly state: string }) => record.state);
    const active = { state: 'Active' };
    expect(when({ ref: REF, previous: active, current: { state: 'Revoked' } })).toBe(true);
    expect(when({ ref: REF, previous: active, current: { ...active } })).toBe(false);
  });

  test('of several predicates one is enough, and none never holds', () => {
    const deleted = change({ generation: 1 }, { generation: 1, deletionTimestamp: 'now' });
    expect(anyOf<Held>(whenGenerationChanged, whenDeletionBegan)(deleted)).toBe(true);
    expect(anyOf()(deleted)).toBe(false);
  });
});

describe('triggers', () => {
  test('wake the object itself in the lane that its change asks for', () => {
    const trigger = wakeItself<Held>(whenGenerationChanged, ({ previous }) =>
      previous === undefined ? 'urgent' : 'normal',
    );
    expect(trigger(change(undefined, { generation: 1 }))).toEqual([{ ref: REF, lane: 'urgent' }]);
    expect(trigger(change({ generation: 1 }, { generation: 1 }))).toEqual([]);
  });

  test('wake all refs that name the object, in bulk', () => {
    const others = [
      { namespace: 'x', name: 'k1' },
      { namespace: 'y', name: 'k2' },
    ];
    const trigger = wakeOthers<Held>(whenGenerationChanged, () => others.values(), 'bulk');
    expect(trigger(change({ generation: 1 }, { generation: 2 }))).toEqual(
      others.map((ref) => ({ ref, lane: 'bulk' })),
    );
  });

  test('are fed by a cache and feed a queue', () => {
    const listeners: Array<(change: Change<Held>) => void> = [];
    const added: string[] = [];
    connect<Held>(
      { onChange: (listener) => void listeners.push(listener) },
      wakeItself(whenGenerationChanged, () => 'normal'),
      { add: (ref, lane) => void added.push(`${ref.name} ${lane}`) },
    );
    for (const listener of listeners) listener(change(undefined, { generation: 1 }));
    expect(added).toEqual(['a normal']);
  });
});

describe('own writes', () => {
  const before = { resourceVersion: '7', generation: 1 };
  const after = { resourceVersion: '8', generation: 1 };

  test('are known by the version that the API server answered', () => {
    const writes = new OwnWrites();
    writes.note(REF, '8');
    expect(writes.isEcho(change(before, after))).toBe(true);
    expect(writes.isEcho(change(before, { ...after, resourceVersion: '9' }))).toBe(false);
  });

  test('are not taken for an echo when the spec was edited too, or the object is new or gone', () => {
    const writes = new OwnWrites();
    writes.note(REF, '8');
    expect(writes.isEcho(change(before, { ...after, generation: 2 }))).toBe(false);
    expect(writes.isEcho(change(undefined, after))).toBe(false);
    expect(writes.isEcho(change(before, undefined))).toBe(false);
  });

  test('show whether a cache is behind, also beyond what a number can hold', () => {
    const writes = new OwnWrites();
    writes.note(REF, '9007199254740993');
    expect(writes.isAheadOf(REF, '9007199254740992')).toBe(true);
    expect(writes.isAheadOf(REF, '9007199254740993')).toBe(false);
    expect(writes.isAheadOf(REF, '10000000000000000')).toBe(false);
    writes.forget(REF);
    expect(writes.isAheadOf(REF, '1')).toBe(false);
  });

  test('are forgotten oldest first when there are too many', () => {
    const writes = new OwnWrites(2);
    const refs = ['a', 'b', 'c'].map((name) => ({ namespace: 'n', name }));
    for (const ref of refs) writes.note(ref, '8');
    expect(refs.map((ref) => writes.isAheadOf(ref, '7'))).toEqual([false, true, true]);
  });
});
