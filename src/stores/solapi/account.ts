/** The calls to one SOLAPI account. Each is one attempt with a signature of its own. */
import { Sensitive } from '../../kernel/sensitive.ts';
import {
  StoreFailure,
  type Account,
  type Connection,
  type RemoteCredential,
  type RemoteListing,
  type RemoteStore,
  type RemoteWish,
  type VendorResponse,
} from '../contract.ts';
import { failureOf, isAbsence, isSuccess } from './errors.ts';
import type { Settings } from './settings.ts';
import { authorizationOf, formatDate, freshSalt, type Scheme, type Signer } from './signature.ts';
import {
  checkDeleted,
  decodeCredential,
  decodeList,
  decodeUpdated,
  PATHS,
  STATES,
  type Operation,
  type WireCredential,
} from './wire.ts';

/** Entries of the credentials Secret by scheme: who signs, and with what. */
export const ENTRIES: Readonly<Record<Scheme, readonly [id: string, secret: string]>> = {
  User: ['userId', 'signingSecret'],
  HMAC: ['apiKey', 'apiSecret'],
};

/** A credential has 32 of them in some 150 bytes; so this is some 100 000 credentials. */
const LIST_BYTES_MAX = 16 * 1_048_576;

type Parameters = Readonly<Record<string, string>>;

/** The store behind these settings; makes no traffic by itself. */
export function connectAccount(settings: Settings, connection: Connection): RemoteStore {
  const account = new SolapiAccount(settings, connection);
  return {
    login: (signal) => account.login(signal),
    create: (_, signal) => account.create(signal),
    read: (id, signal) => account.read(id, signal),
    // The vendor keeps nothing by which a credential could be known to be ours.
    find: () => Promise.resolve([]),
    list: (signal) => account.list(signal),
    update: (id, wish, signal) => account.update(id, wish, signal),
    regenerate(id, slot, signal) {
      if (slot === 'apiSecret') return account.regenerate(id, signal);
      return Promise.reject(refused(`a credential of SOLAPI has no slot '${slot}'`));
    },
    delete: (id, signal) => account.delete(id, signal),
  };
}

class SolapiAccount {
  readonly #settings: Settings;
  readonly #connection: Connection;

  constructor(settings: Settings, connection: Connection) {
    this.#settings = settings;
    this.#connection = connection;
  }

  /**
   * The list proves the credentials, since nothing less can be asked without naming a credential. Who
   * a user is, we were told; whose an API key is, the vendor may say, else the API key stands for it.
   */
  async login(signal: AbortSignal): Promise<Account> {
    await this.list(signal);
    const { id } = this.#signer();
    if (this.#settings.scheme === 'User') return { id, facts: { userId: id } };
    const own = await this.read(id, signal);
    return { id: own?.accountId ?? id, facts: own?.facts ?? {} };
  }

  /**
   * The answer tells no state, so the credential is read back. When that fails, what was made counts
   * more: new credentials are active, and a wrong state shows at the next look.
   */
  async create(signal: AbortSignal): Promise<RemoteCredential> {
    const response = this.#done(await this.#post('create', {}, signal));
    const made = decodeCredential(response.body, undefined);
    if (made.enabled !== undefined) return this.#credential(made, made.enabled);
    const seen = await this.read(made.apiKey, signal).catch(() => undefined);
    return seen ?? this.#credential(made, true);
  }

  async read(id: string, signal: AbortSignal): Promise<RemoteCredential | undefined> {
    const response = await this.#post('read', { apiKey: id }, signal);
    if (isAbsence(response)) return undefined;
    const found = decodeCredential(this.#done(response).body, id);
    if (found.enabled === undefined) {
      throw new StoreFailure('Garbled', { message: 'SOLAPI does not tell whether it is active' });
    }
    return this.#credential(found, found.enabled);
  }

  async list(signal: AbortSignal): Promise<readonly RemoteListing[]> {
    return decodeList(this.#done(await this.#post('list', {}, signal)).body);
  }

  async update(
    id: string,
    { enabled }: Pick<RemoteWish, 'enabled'>,
    signal: AbortSignal,
  ): Promise<RemoteCredential | undefined> {
    this.#refuseOwn(id);
    const credentialStatus = enabled ? STATES.active : STATES.inactive;
    const response = await this.#post('update', { apiKey: id, credentialStatus }, signal);
    if (isAbsence(response)) return undefined;
    const shown = decodeUpdated(this.#done(response).body, id);
    return { id, enabled, ...shown, hint: id, values: {}, facts: {} };
  }

  /**
   * The old secret is dead with the answer. Reads back for the state, which the answer lacks; the
   * secret is the answer's, since a look that lags behind still shows the old one.
   */
  async regenerate(id: string, signal: AbortSignal): Promise<RemoteCredential | undefined> {
    this.#refuseOwn(id);
    const response = await this.#post('regenerate', { apiKey: id }, signal);
    if (isAbsence(response)) return undefined;
    const made = decodeCredential(this.#done(response).body, id);
    if (made.enabled !== undefined) return this.#credential(made, made.enabled);
    const seen = await this.read(id, signal).catch((err: unknown) => {
      throw afterTheFact(err);
    });
    // A credential that is gone by now has its own answer.
    return seen && { ...seen, values: { apiSecret: made.apiSecret } };
  }

  async delete(id: string, signal: AbortSignal): Promise<'Deleted' | 'NotFound'> {
    this.#refuseOwn(id);
    const response = await this.#post('delete', { apiKey: id }, signal);
    if (isAbsence(response)) return 'NotFound';
    checkDeleted(this.#done(response).body, id);
    return 'Deleted';
  }

  #post(
    operation: Operation,
    parameters: Parameters,
    signal: AbortSignal,
  ): Promise<VendorResponse> {
    const { http, clock, entropy } = this.#connection;
    const { dateFormat, zone, basePath } = this.#settings;
    const date = formatDate(dateFormat, zone, clock.nowMs());
    return http.send(
      {
        method: 'POST',
        path: basePath + PATHS[operation],
        headers: {
          authorization: authorizationOf(this.#signer(), { date, salt: freshSalt(entropy) }),
          accept: 'application/json',
          'content-type': 'application/json',
        },
        body: JSON.stringify(parameters),
        ...(operation === 'list' ? { responseMaxBytes: LIST_BYTES_MAX } : {}),
      },
      signal,
    );
  }

  #done(response: VendorResponse): VendorResponse {
    if (!isSuccess(response)) throw failureOf(response, this.#connection.clock.nowMs());
    return response;
  }

  /** @throws StoreFailure Denied when an entry cannot be what it should be */
  #signer(): Signer {
    const { scheme, algorithm } = this.#settings;
    const [idEntry, secretEntry] = ENTRIES[scheme];
    const id = this.#entry(idEntry).revealText();
    const secret = this.#entry(secretEntry);
    if (!/^[!-+\--~]{1,128}$/.test(id)) {
      throw unusable(idEntry, 'must be printable, without blanks, commas and line ends');
    }
    if (secret.reveal().length === 0) throw unusable(secretEntry, 'is empty');
    return { scheme, algorithm, id, secret };
  }

  #entry(name: string): Sensitive {
    const value = this.#connection.credentials[name];
    if (value === undefined) throw unusable(name, 'is missing');
    return trimmed(value);
  }

  /** The credential that we sign with is the account's, and the end of it would be the end of us. */
  #refuseOwn(id: string): void {
    if (this.#settings.scheme === 'HMAC' && id === this.#signer().id) {
      throw refused(`'${id}' is the credential that Keyward itself signs with; it is left alone`);
    }
  }

  #credential(wire: WireCredential, enabled: boolean): RemoteCredential {
    const { apiKey, apiSecret, createdMs, accountId, userId } = wire;
    // A user is known by his id, an API key by its account: the same that login answers.
    const owner = this.#settings.scheme === 'User' ? userId : (accountId ?? userId);
    return {
      id: apiKey,
      enabled,
      hint: apiKey,
      values: { apiSecret },
      ...(createdMs === undefined ? {} : { createdMs }),
      ...(owner === undefined ? {} : { accountId: owner }),
      facts: {
        ...(accountId === undefined ? {} : { accountId }),
        ...(userId === undefined ? {} : { userId }),
      },
    };
  }
}

/** Without the blanks and line ends that `echo` and editors leave around a value. */
function trimmed(value: Sensitive): Sensitive {
  const bytes = value.reveal();
  const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
  const end = bytes.findLastIndex((byte) => !isBlank(byte)) + 1;
  const start = bytes.findIndex((byte) => !isBlank(byte));
  return start <= 0 && end === bytes.length
    ? value
    : new Sensitive(bytes.subarray(Math.max(start, 0), end));
}

/** A failure of a second call must not say that the first was not carried out. */
function afterTheFact(err: unknown): unknown {
  if (!(err instanceof StoreFailure)) return err;
  const { kind, message, retryAfterMs } = err;
  return new StoreFailure(kind, {
    message,
    executed: 'Unknown',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function refused(message: string): StoreFailure {
  return new StoreFailure('Refused', { message });
}

function unusable(entry: string, why: string): StoreFailure {
  return new StoreFailure('Denied', {
    message: `the entry '${entry}' of the store's Secret ${why}`,
  });
}
