/** The grant and the client of a key, as SQLite's fourth migration has them. */
export const MIGRATION_0004 = `
ALTER TABLE {schema}.keys ADD COLUMN form_uid TEXT COLLATE "C";
ALTER TABLE {schema}.keys ADD COLUMN grant_round BIGINT
  CHECK ((grant_round IS NULL) = (form_uid IS NULL));
ALTER TABLE {schema}.keys ADD COLUMN client_uid TEXT COLLATE "C";
`;
