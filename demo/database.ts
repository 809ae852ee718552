/** Where the ledger of the demo lies: a file, or a PostgreSQL that is started for it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres } from '../control-plane/postgres.ts';
import type { Cleanup } from './cleanup.ts';
import type { Flags } from './flags.ts';
import type { Screen } from './screen.ts';

/** A database for one run. */
export type Database = {
  readonly url: string;
  /** The URL as it is shown. */
  readonly shown: string;
  /** Paths of everything that it wrote to the disk. */
  files(): Promise<readonly string[]>;
  /** Processes that go on after the demo. */
  readonly pids: readonly number[];
  /** Lets them go on. */
  keep(): Promise<void>;
};

type Parts = {
  readonly flags: Flags;
  readonly cleanup: Cleanup;
  readonly screen: Screen;
  readonly workDir: string;
};

/** Makes it; the clean-up ends it. */
export async function createDatabase(parts: Parts): Promise<Database> {
  return parts.flags.database === 'sqlite' ? onFile(parts) : onPostgres(parts);
}

function onFile({ workDir }: Parts): Database {
  return {
    url: `sqlite://${join(workDir, 'keyward.db')}`,
    shown: 'sqlite:…',
    files: async () => {
      const names = await readdir(workDir);
      return names.filter((name) => name.startsWith('keyward.db')).map((n) => join(workDir, n));
    },
    pids: [],
    keep: async () => undefined,
  };
}

async function onPostgres({ screen, cleanup }: Parts): Promise<Database> {
  screen.progress('starting PostgreSQL');
  const server = await startPostgres();
  cleanup.add('PostgreSQL', () => server.stop());
  const version = await server.sql('SHOW server_version');
  screen.proof(`PostgreSQL ${version} at 127.0.0.1:${server.port}`);
  return {
    url: server.url(),
    shown: 'postgres:…',
    files: async () => {
      // Its write-ahead log and its free space as well.
      const entries = await readdir(server.dataFolder, { recursive: true, withFileTypes: true });
      return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
    },
    pids: server.pid === undefined ? [] : [server.pid],
    keep: () => server.keep(),
  };
}
