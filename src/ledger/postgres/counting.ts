/** Carries out what a gate counts; see uses.ts for the statements. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Lease, LeaseWish } from '../gate.ts';
import type { Answers, UseRequest } from '../requests.ts';
import type { Row } from '../rows.ts';
import type { Connection } from './connection.ts';
import { isContention, translate } from './failures.ts';
import type { Qualify } from './names.ts';
import type { Pool } from './pool.ts';
import { begin, finish, OutcomeUnknownError, transact } from './transaction.ts';
import { leaseTransaction, type Transaction, transactionOf } from './uses.ts';

/** How often a transaction that lost against another one is repeated, */
const CONTENTIONS_MAX = 10;
/** and one whose outcome is unknown: a caller waits, and the answer "not known" is there soon. */
const UNKNOWNS_MAX = 2;
const RETRY_FIRST_MS = 5;
const RETRY_LAST_MS = 250;

/** A database that gates count in. */
type Counting = { readonly pool: Pool; readonly qualify: Qualify };

/** The answer to a request; rejects with a KeywardError. */
export async function answerUse(
  counting: Counting,
  request: UseRequest,
): Promise<Answers[UseRequest['type']]> {
  try {
    if (request.type === 'lease') return await lease(counting, request.wishes);
    // What is added twice is wrong twice; everything else may be repeated.
    const unknownsMax = request.type === 'reportUsage' ? 0 : UNKNOWNS_MAX;
    return await carryOut(counting, transactionOf(request), unknownsMax);
  } catch (thrown) {
    throw translate(thrown, counting.pool.label);
  }
}

/** Wishes of one count one after the other, everything else together. */
async function lease(counting: Counting, wishes: readonly LeaseWish[]): Promise<readonly Lease[]> {
  const rounds: { readonly at: number[]; readonly wishes: LeaseWish[] }[] = [];
  const seen = new Map<string, number>();
  wishes.forEach((wish, index) => {
    const name = `${wish.windowStartMs}/${wish.subject}`;
    const number = seen.get(name) ?? 0;
    seen.set(name, number + 1);
    const round = (rounds[number] ??= { at: [], wishes: [] });
    round.at.push(index);
    round.wishes.push(wish);
  });
  const leases: Lease[] = [];
  for (const round of rounds) {
    // The next one counts on top of this one.
    // oxlint-disable-next-line no-await-in-loop
    const answers = await carryOut(counting, leaseTransaction(round.wishes), UNKNOWNS_MAX);
    answers.forEach((answer, index) => {
      leases[round.at[index] ?? 0] = answer;
    });
  }
  return leases;
}

async function carryOut<T>(
  { pool, qualify }: Counting,
  transaction: Transaction<T>,
  unknownsMax: number,
): Promise<T> {
  for (let tried = 0; ; tried += 1) {
    try {
      // One attempt after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      const rows = await pool.use((connection) => send(connection, qualify, transaction));
      return transaction.answer(rows);
    } catch (thrown) {
      const isUnknown = thrown instanceof OutcomeUnknownError;
      if (!isUnknown && !isContention(thrown)) throw thrown;
      if (tried >= (isUnknown ? unknownsMax : CONTENTIONS_MAX)) throw thrown;
      const atMostMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** tried);
      // oxlint-disable-next-line no-await-in-loop
      await pause(Math.random() * atMostMs);
    }
  }
}

/** Everything in one message, from BEGIN to COMMIT. */
function send<T>(
  connection: Connection,
  qualify: Qualify,
  { statements }: Transaction<T>,
): Promise<readonly (readonly Row[])[]> {
  return transact(connection, async () => {
    const rows: (readonly Row[])[] = [];
    const [opened, ended] = await Promise.allSettled([
      begin(connection, 'READ COMMITTED', []),
      finish(
        connection,
        statements.map(({ sql, parameters }, index) => async () => {
          rows[index] = await connection.query(qualify(sql), parameters);
        }),
      ),
    ]);
    if (ended.status === 'rejected') throw ended.reason;
    if (opened.status === 'rejected') throw opened.reason;
    return rows;
  });
}
