/** What wakes a form, how soon, and what does not. */
import { describe, expect, test } from 'vitest';
import type { KubeObject, Ref } from '../../../../src/api/meta.ts';
import { RenamedForms } from '../../../../src/controllers/application/renamedforms.ts';
import {
  connectApplicationTriggers,
  onApiKey,
  onForm,
  type NeighbourKey,
  type TriggerSources,
} from '../../../../src/controllers/application/triggers.ts';
import {
  cacheForm,
  seenStatus,
  type CachedForm,
} from '../../../../src/controllers/application/view.ts';
import type { SeenStatus } from '../../../../src/controllers/application/world.ts';
import type { Change } from '../../../../src/kube/port.ts';
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
  const made = (current: NeighbourKey) => ({
    ref: { namespace: 'team', name: 'key' },
    previous: undefined,
    current,
  });
  const wakes = (known: readonly string[], current: NeighbourKey) =>
    onApiKey({ forms: forms(known), renamed: new RenamedForms() }, made(current)).map(
      ({ ref }) => ref.name,
    );

  test('wakes the form that it names', () => {
    expect(wakes(['web'], aKey({ applicationName: 'web' }))).toEqual(['web']);
  });

  test('that names none wakes the form of its name', () => {
    expect(wakes(['key'], aKey())).toEqual(['key']);
  });

  test('that has nothing to do with forms wakes nothing', () => {
    expect(wakes([], aKey())).toEqual([]);
    const same = { ref: REF, previous: aKey(), current: aKey() };
    expect(onApiKey({ forms: forms(['web']), renamed: new RenamedForms() }, same)).toEqual([]);
  });
});

describe('an ApiKey that is in the way', () => {
  test('wakes the one form that serves it under another name', () => {
    const at = new Listening();
    at.form('form', 'key');
    expect(at.key('key', aKey())).toEqual(['form']);
  });

  test('wakes the form that takes over from another one, after that one has gone', () => {
    const at = new Listening();
    at.form('old', 'key');
    at.key('key', aKey({ applicationName: 'old' }));
    at.form('new', 'key');
    at.form('old', 'key', { isDeleting: true });
    at.form('old', undefined);
    expect(at.key('key', aKey({ applicationName: 'old', isDeleting: true }))).toEqual(['new']);
    expect(at.key('key', undefined)).toEqual(['new']);
  });

  test('wakes the form of its own name also where others name it', () => {
    const at = new Listening();
    at.key('key', aKey());
    at.form('key', 'key');
    at.form('draft', 'key');
    at.form('other', 'key');
    expect(at.key('key', undefined).toSorted()).toEqual(['draft', 'key', 'other']);
  });

  test('no longer wakes a form that serves another one now, or is gone', () => {
    const at = new Listening();
    at.form('moved', 'key');
    at.form('gone', 'key');
    at.form('moved', 'elsewhere');
    at.form('gone', undefined);
    expect(at.key('key', aKey())).toEqual([]);
    expect(at.key('elsewhere', aKey())).toEqual(['moved']);
  });
});

function aKey(change: Partial<NeighbourKey> = {}): NeighbourKey {
  return { uid: 'k', generation: 1, isDeleting: false, ...change };
}

/** Forms and ApiKeys of one namespace, and whom a change of theirs wakes. */
class Listening {
  readonly #forms = new Shown<CachedForm>();
  readonly #keys = new Shown<NeighbourKey>();
  #woken: string[] = [];

  constructor() {
    const none = new Shown<never>();
    const sources: Partial<Record<keyof TriggerSources, unknown>> = {
      forms: this.#forms,
      keys: this.#keys,
      keyStores: none,
      clusterKeyStores: none,
      products: none,
      namespaces: none,
      documents: { listen: () => undefined },
      proof: { onChange: () => undefined },
      ownStatus: new OwnStatus<SeenStatus>(),
    };
    connectApplicationTriggers(sources as TriggerSources, {
      add: ({ name }) => void this.#woken.push(name),
    });
  }

  /** Without `keyName` the form is gone. */
  form(name: string, keyName: string | undefined, change: Partial<CachedForm> = {}): void {
    const ref = { ...REF, name };
    const current = keyName === undefined ? undefined : aCached({ ref, keyName, ...change });
    this.#forms.show(ref, current);
  }

  /** Names of the forms that are woken by it. */
  key(name: string, current: NeighbourKey | undefined): readonly string[] {
    this.#woken = [];
    this.#keys.show({ ...REF, name }, current);
    return this.#woken;
  }
}

/** What a watch has shown. */
class Shown<R> {
  readonly #known = new Map<string, R>();
  readonly #listeners: ((change: Change<R>) => void)[] = [];

  onChange(listener: (change: Change<R>) => void): void {
    this.#listeners.push(listener);
  }

  get({ name }: Ref): R | undefined {
    return this.#known.get(name);
  }

  show(ref: Ref, current: R | undefined): void {
    const previous = this.#known.get(ref.name);
    if (current === undefined) this.#known.delete(ref.name);
    else this.#known.set(ref.name, current);
    for (const listener of this.#listeners) listener({ ref, previous, current });
  }
}
