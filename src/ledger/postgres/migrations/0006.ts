/** Digests of values that ended, as SQLite's sixth migration has them. */
export const MIGRATION_0006 = `
-- When the credential ended; NULL: it has not.
ALTER TABLE {schema}.slots ADD COLUMN ended_at BIGINT
  CHECK (ended_at IS NULL OR sealed IS NULL);
CREATE INDEX slots_ended ON {schema}.slots (ended_at) WHERE ended_at IS NOT NULL;
`;
