/**
 * An invented vendor of tokens that is awkward on purpose: values are shown once, lists lag, pages are
 * counted by number and shift, and a token can only be told by its label. Other styles of it make it
 * a vendor of another class, so that every branch of the protocol has something to run against.
 */
import type { FakeAccount, StrangerAct, VendorCredential } from '../../kit/fake.ts';
import {
  FakeVendor,
  type FakeAnswer,
  type FakeOptions,
  type FakeRequest,
  type Routed,
} from '../vendor.ts';

/**
 * - ShownOnce (class O): labels; a value is in the answer that made it and never again.
 * - Readable (class M): labels; values are in the answer about one token.
 * - Idempotent (class I): as ShownOnce, and a create call with the same Idempotency-Key is one call.
 * - Bare (class X): no labels, no values later, nothing.
 */
export type AwkwardStyle = 'ShownOnce' | 'Readable' | 'Idempotent' | 'Bare';

/** Entries per page of a list. */
export const PAGE_SIZE = 50;

const TITLE_MAX = 40;
const NOTE_MAX = 120;
const LABEL_MAX = 64;
const TOKENS = '/v1/tokens';

type Token = {
  readonly id: string;
  readonly accountId: string;
  readonly label: string;
  readonly title: string;
  readonly note: string;
  readonly state: 'live' | 'paused';
  readonly secret: string;
  readonly createdMs: number;
};

type State = {
  readonly tokens: Token[];
  /** Idempotency-Key with its account, to the id of what it made. */
  readonly replays: Record<string, string>;
};

type Wish = Pick<Token, 'label' | 'title' | 'note' | 'state'>;

/** The vendor; `style` is fixed for its life. */
export class AwkwardFake extends FakeVendor<State> {
  readonly accounts: readonly FakeAccount[] = [
    { id: 'acct-one', credentials: { token: 'one-3f6c1a58d0e94b7791' } },
    { id: 'acct-two', credentials: { token: 'two-b82e7d4460af4c1593' } },
  ];
  readonly #style: AwkwardStyle;

  constructor(options: FakeOptions & { readonly style?: AwkwardStyle } = {}) {
    super(options, { tokens: [], replays: {} });
    this.#style = options.style ?? 'ShownOnce';
  }

  credentials(): readonly VendorCredential[] {
    return this.state.tokens.map(({ id, accountId, title, note, state, secret, createdMs }) => ({
      id,
      accountId,
      values: { apiKey: secret },
      enabled: state === 'live',
      name: title,
      description: note,
      createdMs,
    }));
  }

  protected perform(act: StrangerAct): string {
    if (act.act === 'Create') {
      const { accountId = this.accounts[0]?.id ?? '', name = 'a stranger', description = '' } = act;
      const wish = { label: '', title: name, note: description, state: 'live' } as const;
      return this.#make(accountId, wish).id;
    }
    const token = this.state.tokens.find(({ id }) => id === act.id);
    if (token === undefined) throw new Error(`there is no token ${act.id}`);
    if (act.act === 'Delete') this.#drop(token);
    else this.#put({ ...token, ...this.#change(act, token) });
    return act.id;
  }

  #change(act: Exclude<StrangerAct, { act: 'Create' }>, { title, note }: Token): Partial<Token> {
    switch (act.act) {
      case 'Rename':
        return { title: act.name ?? title, note: act.description ?? note };
      case 'Regenerate':
        return { secret: this.#secret() };
      case 'Enable':
        return { state: 'live' };
      case 'Disable':
      case 'Delete':
        return { state: 'paused' };
    }
  }

  protected route(request: FakeRequest): Routed {
    const { method, pathname } = request;
    const [, id, verb] = /^\/v1\/tokens(?:\/([^/]+)(?:\/([a-z]+))?)?$/.exec(pathname) ?? [];
    const found = id === undefined ? {} : { id };
    const routed = (operation: string, run: (accountId: string) => FakeAnswer): Routed => ({
      operation,
      ...found,
      run: () => this.#authenticated(request, run),
    });
    if (`${method} ${pathname}` === 'GET /v1/account')
      return routed('login', (account) => login(account));
    if (`${method} ${pathname}` === `POST ${TOKENS}`) {
      return routed('create', (account) => this.#create(account, request));
    }
    if (`${method} ${pathname}` === `GET ${TOKENS}`) {
      return routed('list', (account) => this.#list(account, request.query));
    }
    if (id === undefined) return routed('unknown', () => refusal(404, 'no_route'));
    const onToken = (operation: string, run: (token: Token) => FakeAnswer): Routed =>
      routed(operation, (account) => this.#withToken(account, id, run));
    switch (verb === undefined ? method : `${method} ${verb}`) {
      case 'GET':
        return onToken('read', (token) => this.#answer(200, token));
      case 'PUT':
        return onToken('update', (token) => this.#update(token, request.body));
      case 'DELETE':
        return onToken('delete', (token) => this.#drop(token));
      case 'POST roll':
        return onToken('regenerate', (token) => this.#roll(token));
      default:
        return routed('unknown', () => refusal(405, 'no_method'));
    }
  }

  #authenticated({ headers }: FakeRequest, run: (accountId: string) => FakeAnswer): FakeAnswer {
    const account = this.accounts.find(
      ({ credentials }) => headers['authorization'] === `Bearer ${credentials['token']}`,
    );
    return account === undefined ? refusal(401, 'bad_token') : run(account.id);
  }

  #withToken(accountId: string, id: string, run: (token: Token) => FakeAnswer): FakeAnswer {
    const token = this.state.tokens.find((one) => one.id === id && one.accountId === accountId);
    return token === undefined ? refusal(404, 'no_token') : run(token);
  }

  #create(accountId: string, { headers, body }: FakeRequest): FakeAnswer {
    const wish = wishOf(body, { label: '', title: '', note: '', state: 'live' });
    if (wish === undefined) return refusal(422, 'bad_field');
    const replay = `${accountId} ${headers['idempotency-key'] ?? ''}`;
    const isReplayed = this.#style === 'Idempotent' && headers['idempotency-key'] !== undefined;
    const earlier = this.state.tokens.find(({ id }) => id === this.state.replays[replay]);
    if (isReplayed && earlier !== undefined) return this.#answer(201, earlier, 'WithSecret');
    const token = this.#make(accountId, this.#style === 'Bare' ? { ...wish, label: '' } : wish);
    if (isReplayed) this.state.replays[replay] = token.id;
    return this.#answer(201, token, 'WithSecret');
  }

  #list(accountId: string, query: URLSearchParams): FakeAnswer {
    const page = Math.max(Number(query.get('page') ?? 1), 1);
    const label = query.get('label');
    const listed = this.state.tokens
      .filter((token) => token.accountId === accountId && this.isListed(token.createdMs))
      .filter((token) => label === null || token.label.startsWith(label))
      .map(publicPart);
    const tokens = listed.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
    return { status: 200, body: { tokens, pages: Math.ceil(listed.length / PAGE_SIZE) } };
  }

  #update(token: Token, body: string): FakeAnswer {
    const wish = wishOf(body, token);
    if (wish === undefined) return refusal(422, 'bad_field');
    return this.#answer(200, this.#put({ ...token, ...wish, label: token.label }));
  }

  #roll(token: Token): FakeAnswer {
    return this.#answer(200, this.#put({ ...token, secret: this.#secret() }), 'WithSecret');
  }

  #drop(token: Token): FakeAnswer {
    this.state.tokens.splice(this.state.tokens.indexOf(token), 1);
    return { status: 204 };
  }

  #make(accountId: string, wish: Wish): Token {
    const token: Token = {
      ...wish,
      id: `tk-${this.entropy(6).toString('hex')}`,
      accountId,
      secret: this.#secret(),
      createdMs: this.nowMs(),
    };
    this.state.tokens.push(token);
    return token;
  }

  #put(token: Token): Token {
    const at = this.state.tokens.findIndex(({ id }) => id === token.id);
    this.state.tokens[at] = token;
    return token;
  }

  #secret(): string {
    return `sk-${this.entropy(24).toString('base64url')}`;
  }

  #answer(status: number, token: Token, shows?: 'WithSecret'): FakeAnswer {
    const { secret } = token;
    const isShown = shows === 'WithSecret' || this.#style === 'Readable';
    return { status, body: { token: publicPart(token), ...(isShown ? { secret } : {}) } };
  }
}

function login(account: string): FakeAnswer {
  return { status: 200, body: { account, plan: 'awkward' } };
}

function refusal(status: number, code: string): FakeAnswer {
  return { status, body: { code } };
}

function publicPart(token: Token): unknown {
  const { id, accountId, label, title, note, state, createdMs, secret } = token;
  const created = new Date(createdMs).toISOString();
  return { id, account: accountId, label, title, note, state, created, tail: secret.slice(-4) };
}

/** Absent members keep what was; lengths count code points, as people do. */
function wishOf(body: string, before: Wish): Wish | undefined {
  let sent: unknown;
  try {
    sent = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof sent !== 'object' || sent === null) return undefined;
  const { label, title, note, state } = { ...before, ...sent };
  const isText = (text: unknown, max: number): text is string =>
    typeof text === 'string' && [...text].length <= max;
  if (!isText(label, LABEL_MAX) || !isText(title, TITLE_MAX) || !isText(note, NOTE_MAX)) {
    return undefined;
  }
  return state === 'live' || state === 'paused' ? { label, title, note, state } : undefined;
}
