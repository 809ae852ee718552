/**
 * One store as the protocol meets it: connected, with a proven login, or with one sentence why not.
 *
 * Guarantees:
 * - No request goes out before the account of the current credentials is proven, and is the account
 *   that the keys of the store are in.
 * - No request of a change goes out while leadership is in doubt, however long it stood in the line.
 * - Whatever is thrown before a request of the caller went out is a StoreFailure, `executed` No.
 * - A store that refuses us is left alone until credentials or settings change, or ten minutes have
 *   passed; one that is dead is asked in growing pauses.
 */
import type { Clock } from '../kernel/clock.ts';
import type { Entropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import { Circuit } from './circuit.ts';
import {
  StoreFailure,
  type Account,
  type FailureKind,
  type RemoteHandle,
  type RemoteStore,
  type VendorHttp,
} from './contract.ts';
import type { Credentials, CredentialSource } from './credentials.ts';
import { guarded, type Operation } from './guard.ts';
import { Objection, stateAfter, type HealthState, type StoreHealth } from './health.ts';
import { LineFull, type Turn } from './limits.ts';

/** What a session works with. */
type SessionOptions = {
  readonly handle: RemoteHandle;
  readonly source: CredentialSource;
  /**
   * With the limits of the account, and the turn that requests have in its line. `expectMay` is called
   * when a request has left the line; when it throws, nothing is sent.
   */
  readonly http: (turn: Turn, expectMay: () => void) => VendorHttp;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Asked before credentials go anywhere. @throws Objection */
  readonly precheck: () => Promise<void>;
  /** Hears of each proven login, and remembers it. @throws Objection against the account */
  readonly accept: (account: Account, credentials: Credentials) => Promise<void>;
  /** Runs `act` while nobody else does in the same account. */
  readonly exclusively: <T>(act: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Asked at the last moment before a call that changes something: is the process still to do so? */
  readonly mayChange: () => boolean;
  /** How long credentials are used before they are read again; absent: a minute. */
  readonly rereadMs?: number;
  readonly onHealth: (health: StoreHealth) => void;
  readonly onCall: (operation: Operation, result: FailureKind | 'Done', tookMs: number) => void;
};

/** Credentials are read again after this, or at once when they were refused. */
const REREAD_MS = MINUTE_MS;
/** Somebody is probably about to make the Secret. */
const REREAD_MISSING_MS = 10 * SECOND_MS;
/** For so long a login counts as proof that "not found" is the truth. */
const PROVEN_MS = 5 * MINUTE_MS;
/** Shared work is not given up because one of those who wait for it gives up; it has deadlines. */
const SHARED = new AbortController().signal;

const JUST_CHANGED = 'the credentials of the store have just changed';

/** What changes nothing. All else cannot be taken back, or not by us. */
const LOOKS: ReadonlySet<Operation> = new Set(['login', 'read', 'find', 'list', 'subscription']);

/** The same store twice: what is asked of the one changes nothing. */
type Remotes = { readonly look: RemoteStore; readonly change: RemoteStore };
type Connected = {
  readonly credentials: Credentials;
  readonly remotes: Readonly<Record<Turn, Remotes>>;
};
type Ready = { readonly connected: Connected; readonly account: Account };
type Proof = { readonly account: Account; readonly atMs: number };

/** Says nothing about the vendor, so it is no failure that lengthens pauses. */
class LeadershipInDoubt extends StoreFailure {
  constructor() {
    const message = 'leadership is in doubt, so nothing is changed at the vendor';
    super('Unavailable', { message, executed: 'No' });
  }
}

/** See the head of the file. */
export class StoreSession {
  readonly #options: SessionOptions;
  readonly #circuit = new Circuit();
  #health: StoreHealth;
  #connected: Connected | undefined;
  #missing: Objection | undefined;
  #rereadAtMs = -Infinity;
  #proof: Proof | undefined;
  #reading: Promise<void> | undefined;
  #provingLogin: Promise<Account> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#health = { state: 'Unknown', sinceMs: options.clock.nowMs(), message: '' };
  }

  /** Settings and capabilities of the store. */
  get handle(): RemoteHandle {
    return this.#options.handle;
  }

  /** What the last contact showed. */
  get health(): StoreHealth {
    return this.#health;
  }

  /** The account of the last proven login with the current credentials. */
  get account(): Account | undefined {
    return this.#proof?.account;
  }

  /**
   * True when the current credentials logged in within the last minutes; only then may an answer of
   * "not found" be believed.
   * @param nowMs wall clock
   */
  isProven(nowMs: number): boolean {
    const ageMs = nowMs - (this.#proof?.atMs ?? -Infinity);
    return ageMs >= 0 && ageMs <= PROVEN_MS;
  }

  /**
   * The store to call, after a proven login. Each of its calls goes through the session again, so it
   * may be kept. `turn` is that of all its requests. @throws StoreFailure, executed No
   */
  async connect(signal: AbortSignal, turn: Turn = 'InOrder'): Promise<RemoteStore> {
    const { connected } = await this.#readyOnly(signal);
    return guarded(connected.remotes[turn].look, (operation, act, callSignal) =>
      this.#call({ operation, turn }, act, callSignal),
    );
  }

  /**
   * Runs `act` while nobody else does in the same account, for stores where two create calls at a
   * time could not be told apart. Not to be nested. @throws StoreFailure Throttled, executed No,
   * when several wait already; whatever `act` throws
   */
  exclusively<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#options.exclusively(act, signal);
  }

  /** Makes `isProven` true, by a login where there was none lately. @throws StoreFailure, executed No */
  async prove(signal: AbortSignal): Promise<Account> {
    const { account } = await this.#readyOnly(signal);
    if (this.isProven(this.#options.clock.nowMs())) return account;
    return beforehand(this.#login(), signal);
  }

  /** As `#ready`, but no call follows that would tell how the store is. */
  async #readyOnly(signal: AbortSignal): Promise<Ready> {
    try {
      return await this.#ready(signal);
    } finally {
      this.#circuit.givenUp();
    }
  }

  /** One call of a store that was handed out. */
  async #call<T>(
    { operation, turn }: { readonly operation: Operation; readonly turn: Turn },
    act: (remote: RemoteStore) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { connected } = await this.#ready(signal);
    const { look, change } = connected.remotes[turn];
    const { clock, onCall } = this.#options;
    const begunMs = clock.monotonicMs();
    const tell = (result: FailureKind | 'Done') =>
      onCall(operation, result, clock.monotonicMs() - begunMs);
    try {
      const isLook = LOOKS.has(operation);
      // Nobody stands in the line for what would be refused at its end.
      if (!isLook) this.#expectLeading();
      const result = await act(isLook ? look : change);
      tell('Done');
      if (this.#connected === connected) this.#well();
      return result;
    } catch (error) {
      if (error instanceof StoreFailure) tell(error.kind);
      throw await this.#learn(error, connected, signal);
    }
  }

  /**
   * The database fences commits, a vendor fences nothing: a process that was stopped in the meantime
   * must not change anything there any more. It may have been stopped while a request stood in the
   * line of the account, so each one of a change is asked again when it leaves that.
   */
  #expectLeading(): void {
    if (!this.#options.mayChange()) throw new LeadershipInDoubt();
  }

  /** Credentials that are current, a way that is open, a login that is proven. */
  async #ready(signal: AbortSignal): Promise<Ready> {
    if (signal.aborted) throw unsent('Unavailable', 'the request was given up');
    await beforehand(this.#read(), signal);
    if (this.#missing !== undefined) throw this.#missing;
    const refusal = this.#circuit.refusal(this.#options.clock.monotonicMs());
    if (refusal !== undefined) throw refusal;
    const account = this.#proof?.account ?? (await beforehand(this.#login(), signal));
    const connected = this.#connected;
    if (connected !== undefined && this.#proof !== undefined) return { connected, account };
    throw unsent('Unavailable', JUST_CHANGED);
  }

  /** Reads the credentials when it is time. One at a time, for all who wait. */
  #read(): Promise<void> {
    if (this.#options.clock.monotonicMs() < this.#rereadAtMs) return Promise.resolve();
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    const { source, clock } = this.#options;
    const found = await this.#tolerate(source(SHARED));
    this.#rereadAtMs = clock.monotonicMs() + (this.#options.rereadMs ?? REREAD_MS);
    if (found === undefined) return;
    if ('problem' in found) {
      this.#rereadAtMs = clock.monotonicMs() + this.#missingPauseMs();
      this.#missing = new Objection('CredentialsNotFound', found.problem, this.#missingPauseMs());
      this.#connected = undefined;
      this.#proof = undefined;
      this.#circuit.succeeded();
      this.#setHealth('CredentialsNotFound', found.problem);
      return;
    }
    this.#missing = undefined;
    if (this.#connected?.credentials.version !== found.version) this.#use(found);
  }

  #missingPauseMs(): number {
    return Math.min(REREAD_MISSING_MS, this.#options.rereadMs ?? REREAD_MS);
  }

  /** While the API server cannot be asked, the credentials that are there go on working. */
  async #tolerate<T>(reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      if (this.#connected === undefined) throw error;
      return undefined;
    }
  }

  #use(credentials: Credentials): void {
    const { handle, http, clock, entropy } = this.#options;
    const connect = (turn: Turn, expectMay: () => void): RemoteStore =>
      handle.connect({
        http: http(turn, expectMay),
        credentials: credentials.values,
        clock,
        entropy,
      });
    const remotes = (turn: Turn): Remotes => ({
      look: connect(turn, () => undefined),
      change: connect(turn, () => this.#expectLeading()),
    });
    this.#connected = {
      credentials,
      remotes: { First: remotes('First'), InOrder: remotes('InOrder') },
    };
    this.#proof = undefined;
    this.#circuit.succeeded();
  }

  /** Logs in, one at a time for all who wait. */
  #login(): Promise<Account> {
    this.#provingLogin ??= this.#loginNow().finally(() => {
      this.#provingLogin = undefined;
    });
    return this.#provingLogin;
  }

  async #loginNow(): Promise<Account> {
    const { clock, onCall, precheck, accept } = this.#options;
    const connected = this.#connected;
    if (connected === undefined) throw unsent('Unavailable', 'the store is not connected');
    const begunMs = clock.monotonicMs();
    const tell = (result: FailureKind | 'Done') =>
      onCall('login', result, clock.monotonicMs() - begunMs);
    try {
      await precheck();
      // Whoever waits for it may have somebody to lock out.
      const account = await connected.remotes.First.look.login(SHARED);
      tell('Done');
      await accept(account, connected.credentials);
      if (this.#connected === connected) {
        this.#proof = { account, atMs: clock.nowMs() };
        this.#well();
      }
      return account;
    } catch (error) {
      if (error instanceof StoreFailure && !(error instanceof Objection)) tell(error.kind);
      const failure = await this.#learn(error, connected, SHARED);
      // Without a login nothing else works, so those who wait must not all try it.
      const isCurrent = this.#connected === connected;
      if (isCurrent && failure instanceof StoreFailure) {
        this.#circuit.hold(failure, clock.monotonicMs());
        this.#showIll(failure);
      }
      throw failure;
    }
  }

  #well(): void {
    this.#circuit.succeeded();
    this.#setHealth('Connected', '');
  }

  /**
   * Takes from a failure what it says about the store, and answers what is to be thrown. A call that
   * went out with earlier credentials says nothing about those that are in use now.
   */
  async #learn(error: unknown, connected: Connected, signal: AbortSignal): Promise<unknown> {
    if (this.#connected !== connected) return justChanged(error);
    const isOurs = error instanceof LineFull || error instanceof LeadershipInDoubt;
    if (signal.aborted || !(error instanceof StoreFailure) || isOurs) {
      this.#circuit.givenUp();
      return error;
    }
    this.#circuit.failed(error, this.#options.clock.monotonicMs());
    if (error.kind !== 'Denied' || error instanceof Objection) {
      this.#showIll(error);
      return error;
    }
    this.#proof = undefined;
    this.#rereadAtMs = -Infinity;
    await this.#read().catch(() => undefined);
    if (this.#connected !== connected) return justChanged(error);
    this.#showIll(error);
    return error;
  }

  /** One lost answer makes no ill store; a closed way does. */
  #showIll(failure: StoreFailure): void {
    if (this.#circuit.reason === undefined && this.#health.state === 'Connected') return;
    this.#setHealth(stateAfter(failure), failure.message);
  }

  #setHealth(state: HealthState, message: string): void {
    const { state: before, message: messageBefore, sinceMs } = this.#health;
    if (state === before && message === messageBefore) return;
    const { clock, onHealth } = this.#options;
    this.#health = { state, message, sinceMs: state === before ? sinceMs : clock.nowMs() };
    onHealth(this.#health);
  }
}

/** What those are told whose call was refused with credentials that are not in use any more. */
function justChanged(error: unknown): unknown {
  if (!(error instanceof StoreFailure) || error.kind !== 'Denied') return error;
  return new StoreFailure('Unavailable', { message: JUST_CHANGED, executed: error.executed });
}

function unsent(kind: FailureKind, message: string, retryAfterMs?: number): StoreFailure {
  const pause = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new StoreFailure(kind, { message, executed: 'No', ...pause });
}

/**
 * The result of shared work that comes before a caller's own request, unless he gives up first.
 * Nothing of his was sent when it fails.
 */
async function beforehand<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(unsent('Unavailable', 'the request was given up'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([shared, aborted.promise]);
  } catch (error) {
    if (error instanceof Objection || !(error instanceof KeywardError)) throw error;
    const { message, retryAfterMs } = error;
    throw unsent(error instanceof StoreFailure ? error.kind : 'Unavailable', message, retryAfterMs);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
