/**
 * SOLAPI as its document of 2017 describes it, over HTTP on loopback: six POST calls, both signature
 * schemes with skew and replay checks, JSON and form bodies. Where the document contradicts itself
 * the quirks choose.
 */
import { randomBytes } from 'node:crypto';
import type { FakeAccount, StrangerAct, VendorCredential } from '../../kit/fake.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { PATHS, STATES, type Operation } from '../../src/stores/solapi/wire.ts';
import {
  FakeVendor,
  type FakeAnswer,
  type FakeOptions,
  type FakeRequest,
  type Routed,
} from '../vendor.ts';
import {
  addCredential,
  firstState,
  freshSecret,
  type SolapiState,
  type StoredAccount,
  type StoredCredential,
} from './accounts.ts';
import { authenticate } from './authentication.ts';
import { parametersOf, type Parameters } from './parameters.ts';

/** How this fake is made. */
export type SolapiOptions = FakeOptions & {
  /** What `accounts` hands out to sign with; both schemes are always understood. User when absent. */
  readonly scheme?: 'User' | 'HMAC';
  /** Credentials of other people that are in the first account from the beginning. */
  readonly strangers?: number;
  /**
   * Whether the credentials of scheme HMAC that sign show among the others. Hidden suits suites that
   * count on an account which is empty at first; absent: Listed, as at the vendor.
   */
  readonly signers?: 'Listed' | 'Hidden';
};

/** Where the document leaves a choice, or says two things. */
export type Quirks = {
  /** Info tells accountId and userId, as the table promises and the samples do not. */
  owner: 'Untold' | 'Told';
  /** What is not there is said as resultCode beside the apiKey, or as errorCode. */
  absence: 'ResultCode' | 'ErrorCode';
  /** A change of state is answered as in the sample, or as in the table above it. */
  update: 'Sample' | 'Table';
  /** An empty list is an empty map, or the empty array that some languages make of it. */
  emptyList: 'Map' | 'Array';
  /** JSON as it must be, or with the commas of the document's samples. */
  json: 'Strict' | 'TrailingCommas';
  /** In which state a new credential comes to life. */
  created: 'active' | 'inactive';
};

/** What an honest vendor would do. */
export const PLAIN: Readonly<Quirks> = {
  owner: 'Untold',
  absence: 'ResultCode',
  update: 'Sample',
  emptyList: 'Map',
  json: 'Strict',
  created: 'active',
};

const OPERATIONS = new Map(
  Object.entries(PATHS).map(([operation, path]) => [path as string, operation as Operation]),
);

/** See the file comment. */
export class SolapiFake extends FakeVendor<SolapiState> {
  quirks: Quirks = { ...PLAIN };
  readonly #areSignersHidden: boolean;

  constructor(options: SolapiOptions = {}) {
    const { entropy = randomBytes, clock = systemClock, scheme = 'User', strangers = 0 } = options;
    super(options, firstState({ entropy, nowMs: clock.nowMs(), scheme, strangers }));
    this.#areSignersHidden = options.signers === 'Hidden';
  }

  get accounts(): readonly FakeAccount[] {
    return this.state.accounts.map((account) => {
      const { userId, signingSecret, apiKey } = account;
      const apiSecret = this.#find(apiKey ?? '')?.apiSecret ?? '';
      return {
        id: this.#publicId(account),
        credentials: apiKey === undefined ? { userId, signingSecret } : { apiKey, apiSecret },
      };
    });
  }

  credentials(): readonly VendorCredential[] {
    return this.#visible().map(({ apiKey, accountId, apiSecret, ...rest }) => {
      const account = this.state.accounts.find((known) => known.accountId === accountId);
      return {
        id: apiKey,
        accountId: account === undefined ? accountId : this.#publicId(account),
        values: { apiSecret },
        enabled: rest.credentialStatus === STATES.active,
        createdMs: rest.createdMs,
      };
    });
  }

  protected route(request: FakeRequest): Routed {
    const operation = OPERATIONS.get(request.pathname);
    if (operation === undefined) return { operation: 'unknown', run: () => NO_SUCH_PATH };
    if (request.method !== 'POST') return { operation, run: () => NO_SUCH_METHOD };
    const parameters = parametersOf(request);
    const id = parameters?.get('apiKey');
    return {
      operation,
      ...(id === undefined ? {} : { id }),
      run: () => this.#run(operation, request, parameters),
    };
  }

  protected perform(act: StrangerAct): string {
    if (act.act === 'Create') {
      const account = this.state.accounts.find(
        (known) => act.accountId === undefined || this.#publicId(known) === act.accountId,
      );
      if (account === undefined) throw new Error('there is no such account');
      return this.#create(account).apiKey;
    }
    const credential = this.#find(act.id);
    if (credential === undefined) throw new Error('there is no such credential');
    switch (act.act) {
      case 'Delete':
        this.#remove(credential);
        break;
      case 'Disable':
        credential.credentialStatus = STATES.inactive;
        break;
      case 'Enable':
        credential.credentialStatus = STATES.active;
        break;
      case 'Regenerate':
        credential.apiSecret = freshSecret(this.entropy);
        break;
      case 'Rename':
        throw new Error('this vendor keeps no names');
    }
    return credential.apiKey;
  }

  #run(operation: Operation, request: FakeRequest, parameters: Parameters | undefined): FakeAnswer {
    const account = authenticate(this.state, request.headers['authorization'], this.nowMs());
    if (typeof account === 'string') return refusal(403, account);
    if (parameters === undefined) return refusal(400, 'InvalidParameter');
    if (operation === 'create') return this.#answer(this.#create(account), ['apiKey', 'apiSecret']);
    if (operation === 'list') return this.#list(account);
    const apiKey = parameters.get('apiKey') ?? '';
    if (apiKey === '') return refusal(400, 'MissingRequiredParameter');
    const credential = this.#find(apiKey);
    // Somebody else's is as good as none: the vendor does not tell strangers what exists.
    if (credential?.accountId !== account.accountId) return this.#absence(apiKey);
    return this.#change(operation, credential, parameters);
  }

  #change(
    operation: Exclude<Operation, 'create' | 'list'>,
    credential: StoredCredential,
    parameters: Parameters,
  ): FakeAnswer {
    switch (operation) {
      case 'read':
        return this.#answer(credential, [
          'apiKey',
          'apiSecret',
          'credentialStatus',
          'dateCreated',
          ...(this.quirks.owner === 'Told' ? ['accountId', 'userId'] : []),
        ]);
      case 'regenerate':
        credential.apiSecret = freshSecret(this.entropy);
        return this.#answer(credential, ['apiKey', 'apiSecret']);
      case 'update': {
        const state = parameters.get('credentialStatus');
        if (state === undefined) return refusal(400, 'MissingRequiredParameter');
        if (state !== STATES.active && state !== STATES.inactive) {
          return refusal(400, 'InvalidParameter');
        }
        credential.credentialStatus = state;
        const names = this.quirks.update === 'Table' ? ['apiSecret'] : ['resultCode'];
        return this.#answer(credential, ['apiKey', ...names]);
      }
      case 'delete':
        this.#remove(credential);
        return this.#answer(credential, ['apiKey', 'resultCode']);
    }
  }

  #list(account: StoredAccount): FakeAnswer {
    const listed = this.#visible()
      .filter(({ accountId, createdMs }) => {
        return accountId === account.accountId && this.isListed(createdMs);
      })
      .map((credential) => [
        credential.apiKey,
        this.#members(credential, ['apiSecret', 'credentialStatus', 'dateCreated']),
      ]);
    const isArray = listed.length === 0 && this.quirks.emptyList === 'Array';
    return this.#success({ credentials: isArray ? [] : Object.fromEntries(listed) });
  }

  #create({ accountId }: StoredAccount): StoredCredential {
    const { state, entropy } = this;
    const made = addCredential(state, { accountId, entropy, nowMs: this.nowMs() });
    made.credentialStatus = this.quirks.created;
    return made;
  }

  #answer(credential: StoredCredential, names: readonly string[]): FakeAnswer {
    return this.#success(this.#members(credential, names));
  }

  #members(credential: StoredCredential, names: readonly string[]): object {
    const { accountId, createdMs } = credential;
    const userId = this.state.accounts.find((known) => known.accountId === accountId)?.userId;
    const dateCreated = new Date(createdMs).toISOString();
    const all = { ...credential, userId, dateCreated, resultCode: 'Success' };
    return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  }

  #success(body: object): FakeAnswer {
    if (this.quirks.json === 'Strict') return { status: 200, body };
    return { status: 200, body: JSON.stringify(body).replaceAll('}', ',}') };
  }

  #absence(apiKey: string): FakeAnswer {
    if (this.quirks.absence === 'ErrorCode') return refusal(404, 'ResourceNotFound');
    return { status: 404, body: { apiKey, resultCode: 'ResourceNotFound' } };
  }

  #visible(): readonly StoredCredential[] {
    const { credentials, accounts } = this.state;
    if (!this.#areSignersHidden) return credentials;
    return credentials.filter(({ apiKey }) => accounts.every((known) => known.apiKey !== apiKey));
  }

  #find(id: string): StoredCredential | undefined {
    return this.state.credentials.find(({ apiKey }) => apiKey === id);
  }

  #remove(credential: StoredCredential): void {
    this.state.credentials = this.state.credentials.filter((other) => other !== credential);
  }

  /** The name by which a driver knows the account: of its user, or of what it can learn by signing. */
  #publicId({ userId, accountId, apiKey }: StoredAccount): string {
    if (apiKey === undefined) return userId;
    return this.quirks.owner === 'Told' ? accountId : apiKey;
  }
}

const NO_SUCH_PATH: FakeAnswer = refusal(404, 'NotFound');
const NO_SUCH_METHOD: FakeAnswer = {
  ...refusal(405, 'MethodNotAllowed'),
  headers: { allow: 'POST' },
};

function refusal(status: number, errorCode: string): FakeAnswer {
  return { status, body: { errorCode, errorMessage: `refused: ${errorCode}` } };
}
