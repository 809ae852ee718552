/**
 * The first schema, as SQLite has it. Text of a migration is never edited after a release: its
 * checksum is stored in every database and compared at each start. `{schema}` becomes the quoted name
 * of the schema, because no session may be told where to look.
 *
 * Times are milliseconds since the epoch. Text that is compared or sorted has collation "C": others
 * change with the operating system, and indexes are wrong after that. Commit numbers are assigned
 * under the lock on the one row of `meta`, so none becomes visible after a higher one.
 */
export const MIGRATION_0001 = `
-- One row: the database itself.
CREATE TABLE {schema}.meta (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  database_id TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  commit_counter BIGINT NOT NULL,
  cluster_id TEXT COLLATE "C",
  epoch BIGINT NOT NULL DEFAULT 0,
  epoch_holder TEXT
);

-- One row per ApiKey object. Ended rows are tombstones and leave 30 days later. The id is the number
-- of the commit that made the row: unlike a row id it is not used again after that.
CREATE TABLE {schema}.keys (
  id BIGINT PRIMARY KEY,
  cluster_id TEXT COLLATE "C" NOT NULL,
  uid TEXT COLLATE "C" NOT NULL UNIQUE,
  namespace TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  revision BIGINT NOT NULL CHECK (revision > 0),
  ended_at BIGINT,
  phase TEXT NOT NULL CHECK (phase IN ('Live', 'Retained', 'Ending', 'Ended')),
  state TEXT NOT NULL CHECK (state IN ('Active', 'Suspended', 'Revoked')),
  store_kind TEXT NOT NULL CHECK (store_kind IN ('KeyStore', 'ClusterKeyStore')),
  store_name TEXT NOT NULL,
  store_uid TEXT COLLATE "C" NOT NULL,
  store_incarnation BIGINT NOT NULL,
  format TEXT NOT NULL CHECK (format IN ('Opaque', 'Dual', 'KeyPair')),
  terms TEXT NOT NULL,
  first_issued BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  last_rotation_request TEXT,
  secret_name TEXT,
  secret_uid TEXT,
  secret_resource_version TEXT,
  secret_fingerprint TEXT,
  secret_shape TEXT,
  secret_health TEXT CHECK (secret_health IN ('Intact', 'Tampered')),
  secret_missing_since BIGINT
);
CREATE INDEX keys_name ON {schema}.keys (namespace, name);
CREATE INDEX keys_ended ON {schema}.keys (ended_at) WHERE ended_at IS NOT NULL;

-- One row per credential generation, kept for ever: token and keyId never come back. 
CREATE TABLE {schema}.credentials (
  key BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  cluster_id TEXT COLLATE "C" NOT NULL,
  uid TEXT COLLATE "C" NOT NULL,
  token TEXT COLLATE "C" NOT NULL UNIQUE,
  key_id TEXT COLLATE "C" NOT NULL UNIQUE,
  origin TEXT NOT NULL CHECK (origin IN ('Issued', 'Imported')),
  created_at BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  hint TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN (
    'Intent', 'Created', 'Sealed', 'Published', 'Active', 'Retiring', 'Disabled', 'Deleted',
    'Unknown', 'Ambiguous', 'Blocked')),
  retire_at BIGINT,
  value_lost BIGINT CHECK (value_lost = 1),
  remote_id TEXT,
  epoch BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (key, sequence),
  CHECK ((state = 'Deleted') = (ended_at IS NOT NULL))
);

-- The values inside a credential that is not Deleted; ending one erases digest and sealed copy.
CREATE TABLE {schema}.slots (
  key BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL CHECK (name IN ('apiKey', 'primaryKey', 'secondaryKey', 'apiSecret')),
  role TEXT NOT NULL CHECK (role IN ('Active', 'Standby', 'Next')),
  generation BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  pepper_version BIGINT NOT NULL,
  seal_version BIGINT,
  sealed BYTEA,
  rotated_at BIGINT NOT NULL,
  retire_at BIGINT,
  PRIMARY KEY (key, sequence, name),
  FOREIGN KEY (key, sequence) REFERENCES {schema}.credentials (key, sequence),
  CHECK ((sealed IS NULL) = (seal_version IS NULL))
);

-- Rotation requests that were spent, as long as the key has a row.
CREATE TABLE {schema}.rotation_requests (
  uid TEXT COLLATE "C" NOT NULL,
  request_id TEXT COLLATE "C" NOT NULL,
  cluster_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (uid, request_id)
);

-- Transactions by a random name of their own, so that one whose answer was lost can be looked up.
-- Those of long ago are forgotten.
CREATE TABLE {schema}.batches (
  id TEXT COLLATE "C" PRIMARY KEY,
  commit_number BIGINT NOT NULL
);
CREATE INDEX batches_number ON {schema}.batches (commit_number);

-- What is still to be done at a remote store after its objects are gone.
CREATE TABLE {schema}.debts (
  store_uid TEXT COLLATE "C" NOT NULL,
  token TEXT COLLATE "C" NOT NULL,
  cluster_id TEXT COLLATE "C" NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('Disable', 'Delete')),
  since BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  last_reason TEXT,
  PRIMARY KEY (store_uid, token)
);

-- Append-only; each entry is chained to the one before by its hash. It is the change feed, too.
CREATE TABLE {schema}.audit (
  commit_number BIGINT PRIMARY KEY,
  cluster_id TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  uid TEXT COLLATE "C" NOT NULL,
  facts TEXT NOT NULL,
  previous_hash BYTEA NOT NULL,
  hash BYTEA NOT NULL
);

-- Tells a wrong master key from the right one.
CREATE TABLE {schema}.master_key_versions (
  version BIGINT PRIMARY KEY,
  check_value TEXT NOT NULL
);
`;
