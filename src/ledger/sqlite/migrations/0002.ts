/**
 * Remote stores: what is known of a credential at a vendor, and of a store whose object is gone. A
 * credential that is still to be ended at its vendor stays in `credentials`, so debts need no table.
 */
export const MIGRATION_0002 = `
ALTER TABLE credentials ADD COLUMN remote_account TEXT;
ALTER TABLE credentials ADD COLUMN create_begun INTEGER;
-- Everything no query asks for, as JSON; present exactly for credentials at a vendor.
ALTER TABLE credentials ADD COLUMN remote TEXT
  CHECK ((remote IS NULL) = (remote_account IS NULL));
CREATE INDEX credentials_remote ON credentials (remote_account, remote_id)
  WHERE remote_account IS NOT NULL;
CREATE INDEX credentials_owed ON credentials (key)
  WHERE remote_account IS NOT NULL AND state = 'Disabled';

DROP TABLE debts;

-- One row per remote store that was ever logged in to.
CREATE TABLE stores (
  store_uid TEXT PRIMARY KEY,
  cluster_id TEXT NOT NULL,
  type TEXT NOT NULL,
  account TEXT NOT NULL,
  settings TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
`;
