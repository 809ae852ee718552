/**
 * One connection, as the rest of this folder sees it: statements in, rows of plain values out.
 * Statements have no name and the session keeps no setting, so that a pooler may hand each
 * transaction to another server connection. Several statements may be sent without waiting for the
 * answers in between.
 */
import { Client } from 'pg';
import type { Row, Value } from '../rows.ts';
import { readCredentials } from './credentials.ts';
import type { PostgresLocation } from './location.ts';

/** How long one answer may take: longer than the server itself allows a statement. */
const ANSWER_MAX_MS = 15_000;
/** When a silent connection is asked whether it still exists. */
const KEEP_ALIVE_MS = 10_000;

/** What can be bound to a statement. */
export type Parameter = string | number | null | Uint8Array | readonly (string | number)[];

/** See the file comment. */
export type Connection = {
  /** One statement; its rows. */
  query(sql: string, parameters?: readonly Parameter[]): Promise<readonly Row[]>;
  /** Several statements without parameters in one message; the rows of each. */
  script(sql: string): Promise<readonly (readonly Row[])[]>;
  /** True while it can be used again: alive, and outside of any transaction. */
  readonly isClean: boolean;
  /** While it is idle it does not keep the process alive. */
  rest(): void;
  wake(): void;
  close(): void;
};

/** Connects; `onLost` is told when the connection dies while nobody waits for an answer. */
export async function connect(location: PostgresLocation, onLost: () => void): Promise<Connection> {
  const { password, ssl } = await readCredentials(location);
  // The library's types leave these two methods out.
  const client = new Client({
    host: location.host,
    port: location.port,
    user: location.user,
    database: location.database,
    // Undefined would make the library look for files of its own.
    password: password ?? '',
    ssl,
    application_name: location.applicationName,
    connectionTimeoutMillis: location.connectTimeoutMs,
    query_timeout: ANSWER_MAX_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    pipeline: true,
    types: { getTypeParser: (oid: number) => PARSERS.get(oid) ?? String },
  }) as Client & { ref(): void; unref(): void };
  let isLost = false;
  const lose = (): void => {
    if (isLost) return;
    isLost = true;
    onLost();
  };
  client.on('error', lose);
  client.on('end', lose);
  await client.connect();
  return {
    query: async (text, parameters = []) => {
      const { rows } = await client.query<Value[]>({
        text,
        values: [...parameters],
        rowMode: 'array',
      });
      return rows;
    },
    script: async (text) => {
      const results: unknown = await client.query({ text, rowMode: 'array' });
      // The library answers several statements with an array of results, which its types leave out.
      return (Array.isArray(results) ? results : [results]).map(
        (result: { readonly rows: readonly Row[] }) => result.rows,
      );
    },
    get isClean() {
      return !isLost && client.getTransactionStatus() === 'I';
    },
    rest: () => client.unref(),
    wake: () => client.ref(),
    close: () => {
      isLost = true;
      void client.end().catch(() => undefined);
    },
  };
}

/** By type number: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const PARSERS: ReadonlyMap<number, (text: string) => Value | boolean> = new Map<
  number,
  (text: string) => Value | boolean
>([
  [16, (text) => text === 't'],
  [17, (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))],
  [20, Number],
  [21, Number],
  [23, Number],
  [1700, Number],
]);
