/** What wakes a form, how soon, and what does not. */
import { describe, expect, test } from 'vitest';
import type { KubeObject, Ref } from '../../../../src/api/meta.ts';
import { onApiKey, onForm } from '../../../../src/controllers/application/triggers.ts';
import {
  cacheForm,
  seenStatus,
  type CachedForm,
} from '../../../../src/controllers/application/view.ts';
import type { SeenStatus } from '../../../../src/controllers/application/world.ts';
import { OwnStatus } from '../../../../src/runtime/ownstatus.ts';
import { aFormSpec, REF } from './workshop.ts';

const STATUS = { observedGeneration: 1, state: 'Pending' } as const;

function aCached(change: Partial<CachedForm> = {}): CachedForm {
  const object = {
    metadata: { ...REF, uid: 'form-1', resourceVersion: '5', generation: 1 },
    spec: aFormSpec(),
    status: STATUS,
  };
  return { ...cacheForm(object as unknown as KubeObject), ...change };
}

const formChange = (previous: CachedForm | undefined, current: CachedForm | undefined) =>
  onForm(new OwnStatus<SeenStatus>(), { ref: REF, previous, current });

describe('a form', () => {
  test('that somebody edits goes into the first lane', () => {
    expect(formChange(aCached(), aCached({ generation: 2 }))).toEqual([
      { ref: REF, lane: 'urgent' },
    ]);
  });

  test('that was settled before a restart waits behind all others; a new one does not', () => {
    expect(formChange(undefined, aCached())[0]?.lane).toBe('bulk');
    const fresh = aCached({ observedGeneration: undefined });
    expect(formChange(undefined, fresh)[0]?.lane).toBe('urgent');
  });

  test('is not woken by the status that we wrote, and is by one that we did not', () => {
    const previous = aCached();
    const ours = { ...STATUS, state: 'Approved' } as const;
    const current = aCached({ resourceVersion: '6', status: seenStatus(ours) });
    const own = new OwnStatus<SeenStatus>();
    own.wrote('form-1', { resourceVersion: '6', status: seenStatus(ours) }, '5');
    expect(onForm(own, { ref: REF, previous, current })).toEqual([]);
    expect(formChange(previous, current)).toEqual([{ ref: REF, lane: 'normal' }]);
  });
});

describe('an ApiKey', () => {
  const forms = (names: readonly string[]) => ({
    get: ({ name }: Ref) => (names.includes(name) ? aCached() : undefined),
  });
  const key = (change: object = {}) => ({ uid: 'k', generation: 1, isDeleting: false, ...change });
  const made = (current: ReturnType<typeof key>) => ({
    ref: { namespace: 'team', name: 'key' },
    previous: undefined,
    current,
  });
  const wakes = (
    known: readonly string[],
    current: ReturnType<typeof key>,
    renamed: ReadonlyMap<string, Ref> = new Map(),
  ) => onApiKey({ forms: forms(known), renamed }, made(current)).map(({ ref }) => ref.name);

  test('wakes the form that it names', () => {
    expect(wakes(['web'], key({ applicationName: 'web' }))).toEqual(['web']);
  });

  test('that names none wakes the form of its name, and the one that is to serve it', () => {
    expect(wakes(['key'], key())).toEqual(['key']);
    const renamed = new Map([['team/key', { namespace: 'team', name: 'form' }]]);
    expect(wakes(['form'], key(), renamed)).toEqual(['form']);
  });

  test('that has nothing to do with forms wakes nothing', () => {
    expect(wakes([], key())).toEqual([]);
    const same = { ref: REF, previous: key(), current: key() };
    expect(onApiKey({ forms: forms(['web']), renamed: new Map() }, same)).toEqual([]);
  });
});
