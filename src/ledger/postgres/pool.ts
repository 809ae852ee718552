/** A few connections that are used in turn; one that failed is not used again. */
import { KeywardError } from '../../kernel/errors.ts';
import { terminal } from '../refusals.ts';
import { connect, type Connection } from './connection.ts';
import { translate } from './failures.ts';
import type { PostgresLocation } from './location.ts';

/** Opens connections as they are needed, never more than the location allows. */
export class Pool {
  readonly #location: PostgresLocation;
  #idle: Connection[] = [];
  #open = 0;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(location: PostgresLocation) {
    this.#location = location;
  }

  /** Names the database to people. */
  get label(): string {
    return this.#location.label;
  }

  /**
   * Lends a connection to `work`, alone.
   *
   * @throws what `work` throws, untranslated where it came from the server; KeywardError when there
   * is no connection to be had
   */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#take();
    try {
      return await work(connection);
    } finally {
      this.#giveBack(connection);
    }
  }

  /** Ends what is idle; what is lent ends when it comes back. */
  close(): void {
    this.#isClosed = true;
    this.#dropIdle();
    for (const resume of this.#waiting.splice(0)) resume();
  }

  async #take(): Promise<Connection> {
    while (!this.#isClosed) {
      const idle = this.#idle.pop();
      if (idle?.isClean === true) {
        idle.wake();
        return idle;
      }
      if (idle !== undefined) this.#drop(idle);
      else if (this.#open < this.#location.poolSize) return this.#connect();
      // Somebody else's turn comes first; look again after it.
      // oxlint-disable-next-line no-await-in-loop
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    throw terminal('LedgerClosed', `database "${this.label}" was closed`);
  }

  async #connect(): Promise<Connection> {
    this.#open += 1;
    try {
      return await connect(this.#location, () => this.#dropIdle());
    } catch (thrown) {
      this.#open -= 1;
      this.#waiting.shift()?.();
      throw thrown instanceof KeywardError ? thrown : translate(thrown, this.label);
    }
  }

  #giveBack(connection: Connection): void {
    if (connection.isClean && !this.#isClosed) {
      connection.rest();
      this.#idle.push(connection);
    } else {
      this.#drop(connection);
      // What ended one connection, a failover for example, has most likely ended the others.
      this.#dropIdle();
    }
    this.#waiting.shift()?.();
  }

  #dropIdle(): void {
    for (const connection of this.#idle.splice(0)) this.#drop(connection);
  }

  #drop(connection: Connection): void {
    this.#open -= 1;
    connection.close();
  }
}
