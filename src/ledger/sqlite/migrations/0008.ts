/**
 * Values that were made elsewhere and imported: they name no credential, so they are looked for by an
 * id that only the holder of the pepper can work out (src/keys/foreign.ts).
 */
export const MIGRATION_0008 = `
-- One row per imported value, kept for ever: no value is ever imported twice.
CREATE TABLE imports (
  lookup TEXT PRIMARY KEY,
  key INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  cluster_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_key ON imports (key);
`;
