/** Remote stores, as SQLite's second migration has them. */
export const MIGRATION_0002 = `
ALTER TABLE {schema}.credentials ADD COLUMN remote_account TEXT COLLATE "C";
ALTER TABLE {schema}.credentials ADD COLUMN create_begun BIGINT;
-- Everything no query asks for, as JSON; present exactly for credentials at a vendor.
ALTER TABLE {schema}.credentials ADD COLUMN remote TEXT
  CHECK ((remote IS NULL) = (remote_account IS NULL));
CREATE INDEX credentials_remote ON {schema}.credentials (remote_account, remote_id)
  WHERE remote_account IS NOT NULL;
CREATE INDEX credentials_owed ON {schema}.credentials (key)
  WHERE remote_account IS NOT NULL AND state = 'Disabled';

DROP TABLE {schema}.debts;

-- One row per remote store that was ever logged in to.
CREATE TABLE {schema}.stores (
  store_uid TEXT COLLATE "C" PRIMARY KEY,
  cluster_id TEXT COLLATE "C" NOT NULL,
  type TEXT NOT NULL,
  account TEXT NOT NULL,
  settings TEXT NOT NULL,
  seal_version BIGINT NOT NULL,
  sealed BYTEA NOT NULL
);
`;
