/**
 * Digests of values that ended stay for a while, so that a gate can tell their holder that they ended.
 * Values themselves go at once, as before.
 */
export const MIGRATION_0006 = `
-- When the credential ended; NULL: it has not.
ALTER TABLE slots ADD COLUMN ended_at INTEGER CHECK (ended_at IS NULL OR sealed IS NULL);
CREATE INDEX slots_ended ON slots (ended_at) WHERE ended_at IS NOT NULL;
`;
