import { describe, expect, test } from 'vitest';
import { checkJournal } from '../../leaders/books.ts';
import { Journal, type Write } from '../../leaders/journal.ts';
import { ACTS, plansOf, TROUBLES } from '../../leaders/plan.ts';

/** What the proxies saw, one line after the other, a millisecond apart. */
class Tale {
  readonly journal = new Journal();
  #nowMs = 0;

  lease(holder: string, epoch: number, sender = holder): void {
    this.journal.terms.push({ holder, epoch, atMs: this.#tick() });
    const spec = { holderIdentity: holder, leaseTransitions: epoch };
    const at = this.#tick();
    this.#add({
      sender,
      url: '/leases/x',
      body: JSON.stringify({ spec }),
      arrivedMs: at,
      answeredMs: at,
    });
  }

  /** Arrives now; is answered when `answer` is called. */
  write(sender: string, what = 'apikeys/a', body = '{}'): (code?: number) => void {
    const write = this.#add({ sender, url: `/${what}`, body, arrivedMs: this.#tick() });
    return (code = 200) => {
      write.answeredMs = this.#tick();
      write.code = code;
    };
  }

  secret(sender: string, value: string): void {
    this.write(
      sender,
      'secrets/a',
      JSON.stringify({ metadata: { name: 'a' }, data: { apiKey: value } }),
    )();
  }

  get troubles(): readonly string[] {
    return checkJournal(this.journal, 0).troubles;
  }

  #add(write: Omit<Write, 'method' | 'wasHeld'>): Write {
    const whole = { method: 'PUT', wasHeld: false, ...write };
    this.journal.writes.push(whole);
    return whole;
  }

  #tick(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }
}

describe('two operators in turns', () => {
  test('are no trouble', () => {
    const tale = new Tale();
    tale.lease('a', 1);
    tale.write('a')();
    tale.secret('a', 'one');
    tale.lease('', 1, 'a');
    tale.lease('b', 2);
    tale.secret('b', 'one');
    tale.secret('b', 'two');
    expect(tale.troubles).toEqual([]);
  });

  test('a write that a former leader begins and gets through is noticed', () => {
    const tale = new Tale();
    tale.lease('a', 1);
    tale.lease('b', 2);
    tale.write('a')();
    expect(tale.troubles).toEqual([expect.stringContaining('while another one led')]);
  });

  test('one that is refused, or was on its way, is counted and no trouble', () => {
    const tale = new Tale();
    tale.lease('a', 1);
    const underWay = tale.write('a');
    tale.lease('b', 2);
    tale.write('a')(409);
    underWay();
    expect(checkJournal(tale.journal, 0)).toEqual({
      troubles: [],
      begunLate: 1,
      delivered: 1,
      landed: 1,
    });
  });

  test('a Lease that is given back before the last write has ended is noticed', () => {
    const tale = new Tale();
    tale.lease('a', 1);
    const underWay = tale.write('a');
    tale.lease('', 1, 'a');
    underWay();
    expect(tale.troubles).toEqual([expect.stringContaining('gave the Lease back')]);
  });

  test('an epoch that comes again is noticed', () => {
    const tale = new Tale();
    tale.lease('a', 3);
    tale.lease('b', 3);
    expect(tale.troubles).toEqual(['epoch 3 of b follows epoch 3 of a']);
  });

  test('an older value that is put back is noticed', () => {
    const tale = new Tale();
    tale.lease('a', 1);
    tale.secret('a', 'one');
    tale.secret('a', 'two');
    tale.secret('a', 'one');
    expect(tale.troubles).toEqual([expect.stringContaining('put an older value')]);
  });
});

describe('plans', () => {
  test('are the same for the same seed, and bring every trouble together with every act', () => {
    const plans = plansOf(7, TROUBLES.length * ACTS.length);
    expect(plansOf(7, plans.length)).toEqual(plans);
    const kinds = new Set(plans.map(({ trouble, act }) => `${trouble} ${act}`));
    expect(kinds.size).toBe(TROUBLES.length * ACTS.length);
  });
});
