/**
 * A fake NAVER Cloud API Gateway: the calls about API keys and their subscriptions as the vendor
 * documents them, signature included. Where its documents differ or are silent, `quirks` chooses.
 */
import type { FakeAccount, StrangerAct, VendorCredential } from '../../kit/fake.ts';
import {
  FakeVendor,
  type FakeAnswer,
  type FakeOptions,
  type FakeRequest,
  type Routed,
} from '../vendor.ts';
import {
  DOCUMENTED,
  freshId,
  freshValue,
  listedKey,
  refusal,
  wholeKey,
  wishOf,
  type NaverKey,
  type NaverQuirks,
} from './keys.ts';
import {
  decided,
  DONE,
  relationOf,
  subscribed,
  unsubscribed,
  withStatus,
  type Product,
  type Relation,
  type RelationStatus,
} from './products.ts';
import { bodyOf, isRange, pageOf, rangeOf, signerOf, type Body } from './requests.ts';

/** Where the interface begins. */
export const BASE_PATH = '/api/v1';

/** The first account. */
export const OUR_TENANT = '0a1b2c3d4e5f60718293a4b5c6d7e8f9';
const THEIRS = 'f9e8d7c6b5a493827160f5e4d3c2b1a0';
const MODIFIER = 'd12c9fd0-7a3b-4c55-9e21-246e96591a38';

type State = {
  readonly keys: readonly NaverKey[];
  readonly products: readonly Product[];
  readonly relations: readonly Relation[];
};

/** A call whose caller is known. */
type Caller = { readonly tenantId: string; readonly body: Body; readonly query: URLSearchParams };

/** The vendor. Accounts are tenants. */
export class NaverFake extends FakeVendor<State> {
  readonly accounts: readonly FakeAccount[] = [
    { id: OUR_TENANT, credentials: pair('OurAccessKey00000001', 'our') },
    { id: THEIRS, credentials: pair('TheirAccessKey000001', 'their') },
  ];
  quirks: NaverQuirks;

  constructor(options: FakeOptions & { readonly quirks?: Partial<NaverQuirks> } = {}) {
    const products: readonly Product[] = [
      { id: 'protected1', subscription: 'PROTECTED', tenantId: THEIRS },
      { id: 'public0001', subscription: 'PUBLIC', tenantId: THEIRS },
    ];
    super(options, { keys: [], products, relations: [] });
    this.quirks = { ...DOCUMENTED, ...options.quirks };
  }

  credentials(): readonly VendorCredential[] {
    return this.state.keys.map((key) => ({
      id: key.id,
      accountId: key.tenantId,
      values: { primaryKey: key.primary, secondaryKey: key.secondary },
      enabled: key.enabled,
      name: key.name,
      description: key.description,
      createdMs: key.createdMs,
    }));
  }

  /** Who asked for which product, and what became of it. */
  relations(): readonly Relation[] {
    return this.state.relations;
  }

  /** What the publisher of a product decides in the console. */
  decide(productId: string, keyId: string, status: RelationStatus): void {
    const relations = decided(this.state.relations, { productId, keyId, status });
    this.state = { ...this.state, relations };
  }

  protected perform(act: StrangerAct): string {
    if (act.act === 'Create') {
      const { accountId = OUR_TENANT, name = 'made by hand', description = '' } = act;
      return this.#make(accountId, { name, description }).id;
    }
    const key = this.state.keys.find(({ id }) => id === act.id);
    if (key === undefined) throw new Error(`there is no key ${act.id}`);
    if (act.act === 'Delete') this.#drop(key);
    else this.#put({ ...key, ...this.#changeOf(act, key) });
    return act.id;
  }

  #changeOf(act: Exclude<StrangerAct, { act: 'Create' }>, key: NaverKey): Partial<NaverKey> {
    switch (act.act) {
      case 'Rename':
        return { name: act.name ?? key.name, description: act.description ?? key.description };
      case 'Regenerate':
        return this.#regenerated(act.slot === 'secondaryKey' ? 'SECONDARY' : 'PRIMARY');
      case 'Enable':
        return { enabled: true };
      case 'Disable':
      case 'Delete':
        return { enabled: false };
    }
  }

  protected route(request: FakeRequest): Routed {
    const { method, pathname } = request;
    // A doubled slash is one to the router; the signature covers what was sent.
    const path = pathname.replace(/\/{2,}/g, '/');
    if (!path.startsWith(`${BASE_PATH}/`)) return this.#unknown();
    const parts = path.slice(BASE_PATH.length + 1).split('/');
    const [collection, id = '', verb = ''] = parts;
    if (collection === 'products') return this.#routeProduct(request, parts);
    const known = this.#collectionCalls()[`${method} ${parts.join('/')}`];
    if (known !== undefined) return this.#routed(request, known);
    const isSingle = collection === 'api-keys' && id !== '' && parts.length <= 3;
    const single = isSingle ? this.#keyCalls(id)[`${method} ${verb}`] : undefined;
    return single === undefined ? this.#unknown() : this.#routed(request, { ...single, id });
  }

  #collectionCalls(): Readonly<Record<string, Handler>> {
    return {
      'POST api-keys': { operation: 'create', run: (caller) => this.#create(caller) },
      'GET api-keys': { operation: 'list', run: (caller) => this.#list(caller) },
      'POST api-keys/search': { operation: 'search', run: (caller) => this.#search(caller) },
    };
  }

  #keyCalls(id: string): Readonly<Record<string, Handler>> {
    const on =
      (run: (key: NaverKey, caller: Caller) => FakeAnswer) =>
      (caller: Caller): FakeAnswer => {
        const key = this.#keysOf(caller.tenantId).find((one) => one.id === id);
        return key === undefined ? this.#missing() : run(key, caller);
      };
    return {
      'GET ': { operation: 'read', run: on((key) => this.#read(key)) },
      'PUT ': { operation: 'update', run: on((key, { body }) => this.#update(key, body)) },
      'PATCH ': { operation: 'regenerate', run: on((key, { body }) => this.#patch(key, body)) },
      'DELETE ': { operation: 'delete', run: on((key) => this.#drop(key)) },
      'POST subscribe': {
        operation: 'subscribe',
        run: on((key, { body }) => this.#ask(key, body)),
      },
      'POST unsubscribe': {
        operation: 'unsubscribe',
        run: on((key, { body }) => this.#leave(key, body)),
      },
      'GET subscription-detail': { operation: 'detail', run: on((key, c) => this.#detail(key, c)) },
    };
  }

  #routeProduct(request: FakeRequest, parts: readonly string[]): Routed {
    const [, productId, keys, id = '', ...rest] = parts;
    if (keys !== 'api-keys' || id === '' || rest.length > 0) return this.#unknown();
    const owned =
      (run: (productId: string, body: Body) => FakeAnswer) =>
      ({ tenantId, body }: Caller): FakeAnswer => {
        const product = this.state.products.find((one) => one.id === productId);
        return product?.tenantId === tenantId ? run(product.id, body) : this.#missing();
      };
    switch (`${request.method} ${id === 'search' ? 'search' : ''}`) {
      case 'POST search': {
        const run = owned((product, body) => this.#productKeys(product, body));
        return this.#routed(request, { operation: 'productKeys', run });
      }
      case 'PATCH ': {
        const run = owned((product, body) => this.#decided(product, id, body));
        return this.#routed(request, { operation: 'decide', id, run });
      }
      default:
        return this.#unknown();
    }
  }

  #decided(productId: string, keyId: string, { status }: Body): FakeAnswer {
    if (status !== 'ACCEPTED' && status !== 'REJECTED') return this.#malformed('status');
    if (relationOf(this.state.relations, productId, keyId) === undefined) return this.#missing();
    this.decide(productId, keyId, status);
    return DONE;
  }

  #routed(request: FakeRequest, { operation, id, run }: Handler): Routed {
    return {
      operation,
      ...(id === undefined ? {} : { id }),
      run: () => {
        const answer = this.#authenticated(request, operation, run);
        return { ...answer, headers: { date: new Date(this.nowMs()).toUTCString() } };
      },
    };
  }

  #unknown(): Routed {
    return { operation: 'unknown', run: () => this.#missing(404) };
  }

  #authenticated(
    request: FakeRequest,
    operation: string,
    run: (caller: Caller) => FakeAnswer,
  ): FakeAnswer {
    const signer = signerOf(request, this.accounts, this.nowMs());
    if (signer === undefined) return this.#refuse(401, '200', 'Authentication Failed');
    if (this.quirks.forbidden.includes(operation)) {
      return this.#refuse(401, '210', 'Permission Denied');
    }
    const body = bodyOf(request);
    if (body === undefined) return this.#malformed('body');
    return run({ tenantId: signer.id, body, query: request.query });
  }

  #create({ tenantId, body }: Caller): FakeAnswer {
    const wish = wishOf(body);
    if ('problem' in wish) return this.#malformed(wish.problem);
    const key = this.#make(tenantId, { name: wish.name, description: wish.description ?? '' });
    return this.#wrapped(201, key);
  }

  #list({ tenantId, query }: Caller): FakeAnswer {
    const name = query.get('apiKeyName') ?? '';
    const range = { offset: query.get('offset'), limit: query.get('limit') };
    if (!isRange(range) || [...name].length > 20) return this.#malformed('query');
    const { nameFilter, pageMax } = this.quirks;
    // The newest first: whatever is made meanwhile moves everything else.
    const listed = this.#keysOf(tenantId)
      .filter((key) => this.isListed(key.createdMs))
      .filter((key) => name === '' || nameFilter === 'Ignored' || hasName(key, name, nameFilter))
      .toReversed();
    const apiKeys = pageOf(listed, range, pageMax).map((key) => listedKey(key, this.quirks));
    return { status: 200, body: { initialCount: 0, total: listed.length, apiKeys } };
  }

  #read(key: NaverKey): FakeAnswer {
    if (this.quirks.readAnswer === 'Wrapped') return this.#wrapped(200, key);
    return { status: 200, body: wholeKey(key, this.quirks) };
  }

  #update(key: NaverKey, body: Body): FakeAnswer {
    const wish = wishOf(body);
    if ('problem' in wish) return this.#malformed(wish.problem);
    if (wish.enabled === undefined) return this.#malformed('isEnabled');
    const kept = this.quirks.omittedDescription === 'Keeps' ? key.description : '';
    const { name, description = kept, enabled } = wish;
    return this.#wrapped(200, this.#put({ ...key, name, description, enabled }));
  }

  #patch(key: NaverKey, { keyType }: Body): FakeAnswer {
    if (keyType !== 'PRIMARY' && keyType !== 'SECONDARY') return this.#malformed('keyType');
    return this.#wrapped(200, this.#put({ ...key, ...this.#regenerated(keyType) }));
  }

  #regenerated(keyType: 'PRIMARY' | 'SECONDARY'): Partial<NaverKey> {
    const value = freshValue(this.entropy);
    return keyType === 'PRIMARY' ? { primary: value } : { secondary: value };
  }

  #drop(key: NaverKey): FakeAnswer {
    const keys = this.state.keys.filter(({ id }) => id !== key.id);
    const relations = this.state.relations.filter(({ keyId }) => keyId !== key.id);
    this.state = { ...this.state, keys, relations };
    return { status: 204 };
  }

  #search({ tenantId, body }: Caller): FakeAnswer {
    if (typeof body['productId'] !== 'string' || !isRange(rangeOf(body)))
      return this.#malformed('search');
    const ours = new Map(this.#keysOf(tenantId).map((key) => [key.id, key]));
    const found = withStatus(this.state.relations, body['statusSet'])
      .filter(({ productId, keyId }) => productId === body['productId'] && ours.has(keyId))
      .map(({ keyId, status }) => ({
        apiKeyId: keyId,
        apiKeyName: ours.get(keyId)?.name,
        apiKeyDescription: ours.get(keyId)?.description,
        status,
      }));
    const apiKeys = pageOf(found, rangeOf(body), this.quirks.pageMax);
    return { status: 200, body: { apiKeys, total: found.length } };
  }

  #productKeys(productId: string, body: Body): FakeAnswer {
    const found = withStatus(this.state.relations, body['statusSet'])
      .filter((relation) => relation.productId === productId)
      .flatMap(({ keyId, status }) => {
        const key = this.state.keys.find(({ id }) => id === keyId);
        const isWanted = body['apiKeyId'] === undefined || body['apiKeyId'] === keyId;
        return key === undefined || !isWanted ? [] : [{ ...wholeKey(key, this.quirks), status }];
      });
    const content = pageOf(found, rangeOf(body), this.quirks.pageMax);
    return { status: 200, body: { apiKeyPage: { total: found.length, content } } };
  }

  #ask(key: NaverKey, { productId }: Body): FakeAnswer {
    const product = this.state.products.find(({ id }) => id === productId);
    if (product === undefined) return this.#missing();
    const relations = subscribed(this.state.relations, product, key.id);
    if (relations === undefined) return this.#malformed('productId');
    this.state = { ...this.state, relations };
    return DONE;
  }

  #leave(key: NaverKey, { productId }: Body): FakeAnswer {
    if (typeof productId !== 'string') return this.#malformed('productId');
    const relations = unsubscribed(this.state.relations, productId, key.id);
    if (relations === undefined) return this.#missing();
    this.state = { ...this.state, relations };
    return DONE;
  }

  #detail(key: NaverKey, { query }: Caller): FakeAnswer {
    const productId = query.get('productId');
    if (productId === null) return this.#malformed('productId');
    const isAccepted = relationOf(this.state.relations, productId, key.id)?.status === 'ACCEPTED';
    const content = isAccepted ? [{ apiKeyId: key.id, apiKeyName: key.name }] : [];
    return { status: 200, body: { apiKeyRelations: { content, total: content.length } } };
  }

  #make(tenantId: string, wish: Pick<NaverKey, 'name' | 'description'>): NaverKey {
    const key: NaverKey = {
      ...wish,
      id: freshId(this.entropy),
      tenantId,
      primary: freshValue(this.entropy),
      secondary: freshValue(this.entropy),
      modifier: MODIFIER,
      enabled: true,
      createdMs: this.nowMs(),
      modifiedMs: this.nowMs(),
    };
    this.state = { ...this.state, keys: [...this.state.keys, key] };
    return key;
  }

  #put(changed: NaverKey): NaverKey {
    const key = { ...changed, modifiedMs: this.nowMs() };
    const keys = this.state.keys.map((one) => (one.id === key.id ? key : one));
    this.state = { ...this.state, keys };
    return key;
  }

  #keysOf(tenantId: string): readonly NaverKey[] {
    return this.state.keys.filter((key) => key.tenantId === tenantId);
  }

  #wrapped(status: number, key: NaverKey): FakeAnswer {
    return { status, body: { apiKey: wholeKey(key, this.quirks) } };
  }

  #missing(status: 400 | 404 = this.quirks.missing): FakeAnswer {
    return this.#refuse(status, status === 404 ? '300' : '100', 'Not Found');
  }

  #malformed(what: string): FakeAnswer {
    return this.#refuse(400, '100', `Bad Request: ${what}`);
  }

  #refuse(status: number, errorCode: string, message: string): FakeAnswer {
    return refusal(status, errorCode, { message, quirks: this.quirks });
  }
}

type Handler = {
  readonly operation: string;
  readonly id?: string;
  readonly run: (caller: Caller) => FakeAnswer;
};

function pair(accessKey: string, name: string): Readonly<Record<string, string>> {
  return { accessKey, secretKey: `${name}SecretKey`.padEnd(40, '7xQ2mZ9kL4') };
}

function hasName({ name }: NaverKey, filter: string, how: 'Contains' | 'Equals'): boolean {
  return how === 'Equals' ? name === filter : name.includes(filter);
}
