/** A real PostgreSQL for suites: one server per file, a schema of its own for each test. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import {
  findPostgres,
  type Postgres,
  type PostgresOptions,
  startPostgres,
} from '../../control-plane/postgres.ts';

const isThere = (await findPostgres()) !== undefined;

/**
 * Tests that need the server. Where it is neither installed nor can be downloaded they are skipped by
 * name, which `npm test` counts and with CI=true takes for a failure.
 */
export function describeOnPostgres(
  name: string,
  define: (server: () => Postgres) => void,
  options?: PostgresOptions,
): void {
  describe.skipIf(!isThere)(`${name}`, () => {
    let server: Postgres;
    beforeAll(async () => {
      server = await startPostgres(options);
    }, 60_000);
    afterAll(() => server.stop());
    define(() => server);
  });
}

/** A schema that nobody else uses. */
export function freshSchema(): string {
  return `s${randomBytes(6).toString('hex')}`;
}
