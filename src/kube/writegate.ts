/**
 * Stands before every write to the API server, which unlike the database cannot tell an old leader from
 * the new one: whoever may lead no more begins none, and who gives leadership back first waits for
 * those that are under way.
 *
 *     open --close--> closed: nothing begins any more, `close` resolves when nothing runs any more
 */
import { sleep, type Clock } from '../kernel/clock.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { KubeClient } from './port.ts';

/** See the file comment. */
export class WriteGate {
  readonly #mayWrite: () => boolean;
  #isClosed = false;
  #running = 0;
  #onIdle: (() => void) | undefined;

  /** @param mayWrite asked at the very moment of each write: whether nobody else can lead */
  constructor(mayWrite: () => boolean) {
    this.#mayWrite = mayWrite;
  }

  /** The client, whose writes pass through here; reads and questions do not. */
  guard(client: KubeClient): KubeClient {
    const guarded =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        this.#pass(() => call(...args));
    return {
      get: client.get.bind(client),
      ask: client.ask.bind(client),
      create: guarded(client.create.bind(client)),
      replace: guarded(client.replace.bind(client)),
      replaceStatus: guarded(client.replaceStatus.bind(client)),
      patchMetadata: guarded(client.patchMetadata.bind(client)),
      patchForeign: guarded(client.patchForeign.bind(client)),
      delete: guarded(client.delete.bind(client)),
      get clockSkewMs() {
        return client.clockSkewMs;
      },
      get isClockTrusted() {
        return client.isClockTrusted;
      },
    };
  }

  /** Lets nothing begin any more. False: something still runs after `withinMs`. May be repeated. */
  async close(clock: Clock, withinMs: number): Promise<boolean> {
    this.#isClosed = true;
    if (this.#running === 0) return true;
    const idle = Promise.withResolvers<boolean>();
    this.#onIdle = () => idle.resolve(true);
    const over = new AbortController();
    const late = sleep(clock, withinMs, over.signal).then(
      () => false,
      () => true,
    );
    const isIdle = await Promise.race([idle.promise, late]);
    over.abort();
    return isIdle;
  }

  async #pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed || !this.#mayWrite()) throw shut();
    this.#running += 1;
    try {
      return await call();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#onIdle?.();
    }
  }
}

function shut(): KeywardError {
  return new KeywardError('Transient', {
    reason: 'NotLeading',
    message: 'this process does not lead, or not for certain, so it writes nothing',
  });
}
