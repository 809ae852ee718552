/**
 * Whether a signature was presented before, at whichever gate: the database knows, and who was seen
 * here need not be asked for. Without the database nobody knows, and that is a no.
 */
import type { Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { SeenSignature, UseLedger } from '../ledger/gate.ts';
import { within } from './within.ts';

const ASK_TIMEOUT_MS = 1_000;
const ASK_MAX = 200;
/** Calls that may wait for an answer at once. */
const WAITING_MAX = 10_000;
/** Signatures that are remembered here; the database remembers all. */
const SEEN_MAX = 50_000;

/** What the memory needs. */
type ReplayDeps = {
  readonly ledger: () => Pick<UseLedger, 'remember'> | undefined;
  readonly clock: Clock;
  readonly onFailure: (reason: string) => void;
};

/** New: nobody has seen it. Unknown: nobody can say. */
type Novelty = 'New' | 'Seen' | 'Unknown';

type Waiting = {
  readonly name: string;
  readonly signature: SeenSignature;
  readonly tell: (novelty: Novelty) => void;
};

/** See the file comment. */
export class ReplayMemory {
  readonly #deps: ReplayDeps;
  readonly #seen = new Set<string>();
  #line: Waiting[] = [];
  #isAsking = false;

  constructor(deps: ReplayDeps) {
    this.#deps = deps;
  }

  /** Remembers a signature. The answer New is given once, and only once, on all gates together. */
  remember(signature: SeenSignature): Promise<Novelty> {
    const { keyId, digest } = signature;
    const name = `${keyId}/${Buffer.from(digest).toString('base64')}`;
    if (this.#seen.has(name)) return Promise.resolve('Seen');
    if (this.#line.length >= WAITING_MAX) return Promise.resolve('Unknown');
    // Before anybody is asked: two calls at the same time are not both new.
    if (this.#seen.size >= SEEN_MAX) this.#seen.clear();
    this.#seen.add(name);
    const { promise, resolve } = Promise.withResolvers<Novelty>();
    this.#line.push({ name, signature, tell: resolve });
    if (!this.#isAsking) void this.#askAll();
    return promise;
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#line.length > 0) {
      const batch = this.#line.splice(0, ASK_MAX);
      const answers = await this.#ask(batch.map(({ signature }) => signature));
      // Who stands behind would wait as long, and hear the same.
      if (answers === undefined) batch.push(...this.#line.splice(0));
      for (const [index, { name, tell }] of batch.entries()) {
        const isNew = answers?.[index];
        // Whoever asks again may be told by the database.
        if (isNew === undefined) this.#seen.delete(name);
        tell(isNew === undefined ? 'Unknown' : isNew ? 'New' : 'Seen');
      }
    }
    this.#isAsking = false;
  }

  async #ask(signatures: readonly SeenSignature[]): Promise<readonly boolean[] | undefined> {
    const { clock, ledger, onFailure } = this.#deps;
    const asked = ledger();
    if (asked === undefined) return undefined;
    try {
      return await within(clock, ASK_TIMEOUT_MS, asked.remember(signatures));
    } catch (thrown) {
      onFailure(classify(thrown).reason);
      return undefined;
    }
  }
}
