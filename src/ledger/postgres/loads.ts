/** Gathers loads: those that are asked for while others are under way become one statement. */
import { setImmediate } from 'node:timers';
import type { Answers, ReadRequest } from '../requests.ts';
import type { Qualify } from './names.ts';
import type { Pool } from './pool.ts';
import { loadAll } from './queries.ts';

/** Keys in one statement, and statements at the same time; the rest of the pool is for others. */
const LOAD_MAX = 256;
const AT_ONCE = 2;

type Load = Extract<ReadRequest, { type: 'load' }>;
type Waiting = {
  readonly load: Load;
  readonly resolve: (loaded: Answers['load']) => void;
  readonly reject: (reason: unknown) => void;
};

/** See the file comment. */
export class Loads {
  readonly #source: { readonly pool: Pool; readonly qualify: Qualify };
  #queue: Waiting[] = [];
  #underWay = 0;
  #isScheduled = false;

  constructor(source: { readonly pool: Pool; readonly qualify: Qualify }) {
    this.#source = source;
  }

  /** Rejects with whatever the database failed with. */
  load(load: Load): Promise<Answers['load']> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ load, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#queue.length === 0 || this.#underWay === AT_ONCE) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#carryOut(this.#queue.splice(0, LOAD_MAX));
      this.#schedule();
    });
  }

  async #carryOut(batch: readonly Waiting[]): Promise<void> {
    this.#underWay += 1;
    try {
      const { pool, qualify } = this.#source;
      const loads = batch.map(({ load }) => load);
      const found = await pool.use((connection) => loadAll({ connection, qualify }, loads));
      batch.forEach(({ resolve }, index) => {
        const loaded = found[index];
        if (loaded !== undefined) resolve(loaded);
      });
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown);
    } finally {
      this.#underWay -= 1;
      this.#schedule();
    }
  }
}
