/**
 * The first schema. Text of a migration is never edited after a release: its checksum is stored in
 * every database and compared at each start.
 *
 * Times are milliseconds since the epoch. Rows carry the cluster id, so that one database can serve
 * several clusters later. A commit number counts the commits of the database: it is the position in
 * the audit chain, which is the change feed as well. Numbers are assigned inside the transaction of the
 * only writer, so none becomes visible after a higher one.
 */
export const MIGRATION_0001 = `
-- One row: the database itself.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  database_id TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  commit_counter INTEGER NOT NULL,
  cluster_id TEXT,
  epoch INTEGER NOT NULL DEFAULT 0,
  epoch_holder TEXT
) STRICT;
INSERT INTO meta (id, database_id, incarnation, commit_counter)
VALUES (1, lower(hex(randomblob(16))), lower(hex(randomblob(16))), 0);

-- One row per ApiKey object. Ended rows are tombstones and leave 30 days later. The id is the number
-- of the commit that made the row: unlike a row id it is not used again after that.
CREATE TABLE keys (
  id INTEGER PRIMARY KEY,
  cluster_id TEXT NOT NULL,
  uid TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL CHECK (revision > 0),
  ended_at INTEGER,
  phase TEXT NOT NULL CHECK (phase IN ('Live', 'Retained', 'Ending', 'Ended')),
  state TEXT NOT NULL CHECK (state IN ('Active', 'Suspended', 'Revoked')),
  store_kind TEXT NOT NULL CHECK (store_kind IN ('KeyStore', 'ClusterKeyStore')),
  store_name TEXT NOT NULL,
  store_uid TEXT NOT NULL,
  store_incarnation INTEGER NOT NULL,
  format TEXT NOT NULL CHECK (format IN ('Opaque', 'Dual', 'KeyPair')),
  terms TEXT NOT NULL,
  first_issued INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  last_rotation_request TEXT,
  secret_name TEXT,
  secret_uid TEXT,
  secret_resource_version TEXT,
  secret_fingerprint TEXT,
  secret_shape TEXT,
  secret_health TEXT CHECK (secret_health IN ('Intact', 'Tampered')),
  secret_missing_since INTEGER
) STRICT;
CREATE INDEX keys_name ON keys (namespace, name);
CREATE INDEX keys_ended ON keys (ended_at) WHERE ended_at IS NOT NULL;

-- One row per credential generation, kept for ever: token and keyId never come back. In the order
-- of the keys, so that what belongs together lies on one page and needs no index.
CREATE TABLE credentials (
  key INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  cluster_id TEXT NOT NULL,
  uid TEXT NOT NULL,
  token TEXT NOT NULL UNIQUE,
  key_id TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL CHECK (origin IN ('Issued', 'Imported')),
  created_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  hint TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN (
    'Intent', 'Created', 'Sealed', 'Published', 'Active', 'Retiring', 'Disabled', 'Deleted',
    'Unknown', 'Ambiguous', 'Blocked')),
  retire_at INTEGER,
  value_lost INTEGER CHECK (value_lost = 1),
  remote_id TEXT,
  epoch INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (key, sequence),
  CHECK ((state = 'Deleted') = (ended_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The values inside a credential that is not Deleted; ending one erases digest and sealed copy.
CREATE TABLE slots (
  key INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  name TEXT NOT NULL CHECK (name IN ('apiKey', 'primaryKey', 'secondaryKey', 'apiSecret')),
  role TEXT NOT NULL CHECK (role IN ('Active', 'Standby', 'Next')),
  generation INTEGER NOT NULL,
  digest BLOB NOT NULL,
  pepper_version INTEGER NOT NULL,
  seal_version INTEGER,
  sealed BLOB,
  rotated_at INTEGER NOT NULL,
  retire_at INTEGER,
  PRIMARY KEY (key, sequence, name),
  FOREIGN KEY (key, sequence) REFERENCES credentials (key, sequence),
  CHECK ((sealed IS NULL) = (seal_version IS NULL))
) STRICT, WITHOUT ROWID;

-- Rotation requests that were spent, as long as the key has a row.
CREATE TABLE rotation_requests (
  uid TEXT NOT NULL,
  request_id TEXT NOT NULL,
  cluster_id TEXT NOT NULL,
  PRIMARY KEY (uid, request_id)
) STRICT, WITHOUT ROWID;

-- What is still to be done at a remote store after its objects are gone.
CREATE TABLE debts (
  store_uid TEXT NOT NULL,
  token TEXT NOT NULL,
  cluster_id TEXT NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('Disable', 'Delete')),
  since INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_reason TEXT,
  PRIMARY KEY (store_uid, token)
) STRICT, WITHOUT ROWID;

-- Append-only; each entry is chained to the one before by its hash. It is the change feed, too.
CREATE TABLE audit (
  commit_number INTEGER PRIMARY KEY,
  cluster_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  uid TEXT NOT NULL,
  facts TEXT NOT NULL,
  previous_hash BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;

-- Tells a wrong master key from the right one.
CREATE TABLE master_key_versions (
  version INTEGER PRIMARY KEY,
  check_value TEXT NOT NULL
) STRICT;
`;
