import { beforeEach, describe, expect, test } from 'vitest';
import type { ApiProductSpec, ApiProductStatus } from '../../../../src/api/generated/apiproduct.ts';
import { ProductBooks } from '../../../../src/controllers/product/books.ts';
import { onProduct, productSteps } from '../../../../src/controllers/product/index.ts';
import type { ProductView } from '../../../../src/controllers/product/world.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import type { DocumentCommit, Ledger } from '../../../../src/ledger/port.ts';
import { reconcile } from '../../../../src/runtime/pipeline.ts';
import { FakeClock } from '../../../support/clock.ts';
import { MemoryDocuments } from '../../../support/documents.ts';

type Spec = Partial<ApiProductSpec>;

/** Products of a cluster, and what the ledger knows of them. */
class Stage {
  readonly clock = new FakeClock();
  readonly documents = new MemoryDocuments();
  readonly commits: DocumentCommit[] = [];
  readonly woken: string[] = [];
  readonly products = new Map<string, ProductView>();
  /** What a live read shows, where it is not what the cache has. */
  readonly live = new Map<string, string>();
  statuses = 0;
  /** What a commit fails with before anything is stored. */
  trouble: KeywardError | undefined;
  #made = 0;
  #books = this.#open();

  make(name: string, spec: Spec = {}, uid = `${name}-uid`): void {
    this.#made += 1;
    this.products.set(name, {
      ref: { namespace: '', name },
      uid,
      resourceVersion: '1',
      generation: 1,
      createdTime: `2026-01-01T00:00:${String(this.#made).padStart(2, '0')}Z`,
      isDeleting: false,
      spec: { displayName: name, state: 'Published', access: 'ByGrant', ...spec },
      status: undefined,
    });
  }

  edit(name: string, spec: Spec): void {
    const product = this.at(name);
    const { generation } = product;
    this.products.set(name, {
      ...product,
      generation: generation + 1,
      spec: { ...product.spec, ...spec },
    });
  }

  at(name: string): ProductView {
    const product = this.products.get(name);
    if (product === undefined) throw new Error(`there is no product ${name}`);
    return product;
  }

  ready(name: string) {
    return this.at(name).status?.conditions?.find(({ type }) => type === 'Ready');
  }

  known(name: string) {
    return this.documents.all('Product').find((each) => each.name === name);
  }

  /** Another leader: nothing is remembered. */
  restart(): void {
    this.#books = this.#open();
  }

  async look(...names: readonly string[]) {
    const results = names.map(async (name) => {
      const ref = { namespace: '', name };
      const stop = new AbortController().signal;
      return (await reconcile(this.#steps(), ref, { clock: this.clock, stop })).result;
    });
    return await Promise.all(results);
  }

  #open(): ProductBooks {
    const ledger = {
      ...this.documents.reads(),
      commitDocuments: async (commit: DocumentCommit) => this.#commit(commit),
    } satisfies Partial<Ledger>;
    const books = new ProductBooks(ledger, () => 7);
    books.onChange((refs) => this.woken.push(...refs.map(({ name }) => name)));
    return books;
  }

  #commit(commit: DocumentCommit): { readonly type: 'Committed' | 'Stale' } {
    if (this.trouble !== undefined) throw this.trouble;
    if (!this.documents.areCurrent(commit.changes)) return { type: 'Stale' };
    this.documents.write(commit.changes);
    this.commits.push(commit);
    return { type: 'Committed' };
  }

  #steps() {
    const products = {
      get: ({ name }: { readonly name: string }) => this.products.get(name),
      values: () => this.products.values(),
    };
    return productSteps({
      products,
      books: this.#books,
      clusterId: 'cluster-1',
      clock: this.clock,
      client: {
        get: async (_, { name }) => {
          const uid = this.live.get(name) ?? this.products.get(name)?.uid;
          return uid === undefined ? undefined : { metadata: { name, uid, resourceVersion: '1' } };
        },
        replaceStatus: async (_, { metadata: { name }, status }) => {
          this.statuses += 1;
          this.products.set(name, { ...this.at(name), status: status as ApiProductStatus });
          return undefined;
        },
      },
    });
  }
}

const V1 = [{ pathPrefix: '/v1' }];
const KNOWN_V1 = [{ hosts: [], pathPrefix: '/v1', methods: [] }];

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

describe('what gates know of a product', () => {
  test('is in the ledger before the product is called Ready', async () => {
    stage.make('places', { match: [{ pathPrefix: '/v1', methods: ['GET'] }], access: 'Open' });
    stage.trouble = new KeywardError('Transient', {
      reason: 'LedgerUnavailable',
      message: 'the disk is full',
    });
    await stage.look('places');
    expect(stage.ready('places')).toMatchObject({
      status: 'Unknown',
      reason: 'Pending',
      message: 'gates do not know this spec yet: the disk is full',
    });
    stage.trouble = undefined;
    await stage.look('places');
    expect(stage.known('places')).toMatchObject({
      uid: 'places-uid',
      clusterId: 'cluster-1',
      namespace: '',
      phase: 'Live',
      state: 'Published',
      access: 'Open',
      match: [{ hosts: [], pathPrefix: '/v1', methods: ['GET'] }],
    });
    expect(stage.ready('places')).toMatchObject({ status: 'True', reason: 'Published' });
  });

  test('follows each edit of state, access and match, and nothing else', async () => {
    stage.make('places');
    await stage.look('places');
    stage.edit('places', { state: 'Deprecated', access: 'Open', match: V1 });
    await stage.look('places');
    expect(stage.known('places')).toMatchObject({ state: 'Deprecated', match: KNOWN_V1 });
    expect(stage.ready('places')?.reason).toBe('Deprecated');
    stage.edit('places', { description: 'all places', state: 'Deprecated' });
    await stage.look('places');
    stage.edit('places', { state: 'Retired' });
    await stage.look('places');
    expect(stage.known('places')?.state).toBe('Retired');
    expect(stage.ready('places')).toMatchObject({ status: 'False', reason: 'Retired' });
    expect(stage.commits.map(({ epoch, audit }) => [epoch, audit.action, audit.facts])).toEqual([
      [7, 'ProductOpened', facts('Published', 'ByGrant', 0)],
      [7, 'ProductChanged', facts('Deprecated', 'Open', 1)],
      [7, 'ProductChanged', facts('Retired', 'Open', 1)],
    ]);
  });

  test('is written once, and not again by a new leader', async () => {
    stage.make('places', { match: V1 });
    await stage.look('places');
    await stage.look('places');
    stage.restart();
    await stage.look('places');
    expect([stage.statuses, stage.commits.length]).toEqual([1, 1]);
  });

  test('is read again when somebody else has written it', async () => {
    stage.make('places');
    await stage.look('places');
    const known = stage.known('places');
    if (known !== undefined) stage.documents.put({ kind: 'Product', document: known });
    stage.edit('places', { access: 'Open' });
    const [result] = await stage.look('places');
    expect(result?.kind).not.toBe('done');
    await stage.look('places');
    expect(stage.known('places')?.access).toBe('Open');
  });
});

function facts(state: string, access: string, patterns: number) {
  return { product: 'places', state, access, patterns };
}

describe('a claim that another product has', () => {
  beforeEach(async () => {
    stage.make('places', { match: [{ pathPrefix: '/v1/', methods: ['GET'] }] });
    await stage.look('places');
  });

  test('is not handed out again: its owner keeps it and stays Ready', async () => {
    stage.make('thief', { match: [{ pathPrefix: '/v1', methods: ['GET', 'PUT'] }] });
    await stage.look('thief', 'places');
    expect(stage.ready('thief')).toMatchObject({
      status: 'False',
      reason: 'InvalidSpec',
      message:
        'spec.match claims "GET */v1/", which ApiProduct \'places\' has; spec.match does not take effect until that changes',
    });
    expect(stage.known('thief')?.match).toEqual([]);
    expect(stage.ready('places')?.reason).toBe('Published');
  });

  test('is not taken by an edit, whose state and access take effect all the same', async () => {
    stage.make('thief', { match: [{ pathPrefix: '/v2' }] });
    await stage.look('thief');
    stage.edit('thief', {
      state: 'Deprecated',
      access: 'Open',
      match: [{ pathPrefix: '/v1', methods: ['GET'] }, { pathPrefix: '/v3' }],
    });
    await stage.look('thief');
    expect(stage.known('thief')).toMatchObject({
      state: 'Deprecated',
      access: 'Open',
      match: [{ hosts: [], pathPrefix: '/v2', methods: [] }],
    });
    expect(stage.ready('thief')?.reason).toBe('InvalidSpec');
  });

  test('is handed on when its owner gives it up, is retired, or goes', async () => {
    const wish = { match: [{ pathPrefix: '/v1', methods: ['GET'] as const }] };
    stage.make('next', wish);
    await stage.look('next');
    stage.woken.length = 0;
    stage.edit('places', { state: 'Retired' });
    await stage.look('places');
    expect(stage.woken).toEqual(['next']);
    await stage.look('next');
    expect(stage.ready('next')?.reason).toBe('Published');
    expect(stage.known('next')?.match).toEqual([{ hosts: [], ...wish.match[0] }]);
  });

  test('is not taken back by a retired product that wants to return', async () => {
    stage.edit('places', { state: 'Retired' });
    await stage.look('places');
    stage.make('next', { match: [{ pathPrefix: '/v1', methods: ['GET'] }] });
    await stage.look('next');
    stage.edit('places', { state: 'Published' });
    await stage.look('places');
    expect(stage.known('places')?.state).toBe('Retired');
    expect(stage.ready('places')).toMatchObject({
      reason: 'InvalidSpec',
      message: expect.stringContaining('stays retired'),
    });
    expect(stage.ready('next')?.reason).toBe('Published');
  });

  test('goes to one of those who ask at the same time', async () => {
    stage.make('second');
    stage.make('third');
    await stage.look('third', 'second');
    stage.edit('second', { match: V1 });
    stage.edit('third', { match: V1 });
    await stage.look('third', 'second');
    expect([stage.known('third')?.match, stage.known('second')?.match]).toEqual([KNOWN_V1, []]);
    expect(stage.ready('second')?.reason).toBe('InvalidSpec');
  });

  test.each([
    ['with a port', { pathPrefix: '/v1', methods: ['GET'], hosts: ['a.example:8443'] }],
    ['without its escapes', { pathPrefix: '/caf\u00e9', hosts: ['a.example'] }],
  ] as const)('is the same claim as gates read it: %s', async (_, pattern) => {
    stage.make('first', {
      match: [
        { pathPrefix: '/v1', methods: ['GET'], hosts: ['a.example'] },
        { pathPrefix: '/caf%C3%A9', hosts: ['a.example'] },
      ],
    });
    await stage.look('first');
    stage.make('second', { match: [pattern] });
    await stage.look('second');
    expect(stage.ready('second')?.message).toContain("which ApiProduct 'first' has");
  });

  test('goes to the older one where the ledger knows neither', async () => {
    stage.make('old', { match: V1 });
    stage.make('young', { match: V1 });
    await stage.look('young');
    expect(stage.ready('young')?.reason).toBe('InvalidSpec');
    await stage.look('old');
    expect(stage.ready('old')?.reason).toBe('Published');
  });

  test('is not claimed by who claims more narrowly or another host', async () => {
    stage.make('deeper', { match: [{ pathPrefix: '/v1/places', methods: ['GET'] }] });
    stage.make('other', { match: [{ pathPrefix: '/v1', hosts: ['a.example'] }] });
    await stage.look('deeper', 'other');
    expect([stage.ready('deeper')?.reason, stage.ready('other')?.reason]).toEqual([
      'Published',
      'Published',
    ]);
  });
});

test('a path that servers read in more than one way takes no effect, and says so', async () => {
  stage.make('places', { match: V1 });
  await stage.look('places');
  stage.edit('places', { match: [{ pathPrefix: '/a;b' }], access: 'Open' });
  await stage.look('places');
  expect(stage.known('places')).toMatchObject({ access: 'Open', match: KNOWN_V1 });
  expect(stage.ready('places')).toMatchObject({
    reason: 'InvalidSpec',
    message: expect.stringContaining('"/a;b"'),
  });
});

describe('a product that is gone', () => {
  beforeEach(async () => {
    stage.make('places', { match: V1 });
    await stage.look('places');
  });

  test('is ended after a live read, and its calls belong to nobody', async () => {
    stage.products.delete('places');
    await stage.look('places');
    expect(stage.known('places')?.phase).toBe('Ended');
    expect(stage.commits.at(-1)?.audit.action).toBe('ProductEnded');
    stage.make('next', { match: V1 });
    await stage.look('next');
    expect(stage.ready('next')?.reason).toBe('Published');
  });

  test('is not ended while the API server still has it', async () => {
    stage.products.delete('places');
    stage.live.set('places', 'places-uid');
    const [result] = await stage.look('places');
    expect(result?.kind).toBe('wait');
    expect(stage.known('places')?.phase).toBe('Live');
  });

  test('hands its claims to one of the same name in one commit', async () => {
    stage.make('places', { match: V1 }, 'second-uid');
    await stage.look('places');
    const last = stage.commits.at(-1);
    expect(last?.changes.map(({ document: { uid, phase } }) => [uid, phase])).toEqual([
      ['second-uid', 'Live'],
      ['places-uid', 'Ended'],
    ]);
    expect(stage.ready('places')?.reason).toBe('Published');
  });

  test('is known again when a restored database thinks that it ended', async () => {
    const known = stage.known('places');
    if (known === undefined) throw new Error('it is known');
    stage.documents.put({ kind: 'Product', document: { ...known, phase: 'Ended' } });
    stage.restart();
    await stage.look('places');
    expect(stage.known('places')?.phase).toBe('Live');
  });
});

test('an edit of one product has every other one looked at, and the one itself first', () => {
  stage.make('places');
  stage.make('other');
  const other = stage.at('other');
  const products = { values: () => stage.products.values() };
  const current = { ...other, generation: 2, spec: { ...other.spec, state: 'Retired' as const } };
  const edited = { ref: other.ref, previous: other, current };
  const wakes = onProduct(products, edited).map(({ ref, lane }) => [ref.name, lane]);
  expect(wakes).toEqual(expect.arrayContaining([['places', 'bulk']]));
  expect(wakes[0]).toEqual(['other', 'urgent']);
  expect(onProduct(products, { ...edited, current: other })).toEqual([]);
});
