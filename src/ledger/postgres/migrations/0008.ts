/** Values that were imported, as SQLite's eighth migration has them. */
export const MIGRATION_0008 = `
-- One row per imported value, kept for ever: no value is ever imported twice.
CREATE TABLE {schema}.imports (
  lookup TEXT COLLATE "C" PRIMARY KEY,
  key BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  cluster_id TEXT COLLATE "C" NOT NULL
);
CREATE INDEX imports_key ON {schema}.imports (key);
`;
