import { describe, expect, test } from 'vitest';
import type { ObjectMeta, Ref } from '../../../src/api/meta.ts';
import type { Change } from '../../../src/kube/port.ts';
import { anyOf, connect, wakeItself, whenChanged } from '../../../src/runtime/trigger.ts';

type Held = Partial<ObjectMeta>;

const REF: Ref = { namespace: 'team', name: 'a' };

const whenGenerationChanged = whenChanged((record: Held) => record.generation);

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

  test('any field of a record can be compared', () => {
    const when = whenChanged((record: { readonly state: string }) => record.state);
    const active = { state: 'Active' };
    expect(when({ ref: REF, previous: active, current: { state: 'Revoked' } })).toBe(true);
    expect(when({ ref: REF, previous: active, current: { ...active } })).toBe(false);
  });

  test('of several predicates one is enough, and none never holds', () => {
    const whenDeleted = whenChanged((record: Held) => record.deletionTimestamp);
    const deleted = change({ generation: 1 }, { generation: 1, deletionTimestamp: 'now' });
    expect(anyOf(whenGenerationChanged, whenDeleted)(deleted)).toBe(true);
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
