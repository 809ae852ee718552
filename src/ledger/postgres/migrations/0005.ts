/** What gates write, as SQLite's fifth migration has it. */
export const MIGRATION_0005 = `
-- Uses of one quota in one window that gates have reserved. The window that never ends has no end,
-- and its row is kept for ever; the others leave a day after theirs.
CREATE TABLE {schema}.counts (
  subject TEXT COLLATE "C" NOT NULL,
  window_start BIGINT NOT NULL,
  window_end BIGINT,
  reserved BIGINT NOT NULL CHECK (reserved BETWEEN 0 AND 9007199254740991),
  PRIMARY KEY (subject, window_start)
);
CREATE INDEX counts_end ON {schema}.counts (window_end) WHERE window_end IS NOT NULL;

-- Uses that one gate hands out by itself; all of them are in "reserved" until it gives back what is
-- left. A row stays for a while after that, so that a late repetition reserves nothing.
CREATE TABLE {schema}.leases (
  id TEXT COLLATE "C" PRIMARY KEY,
  subject TEXT COLLATE "C" NOT NULL,
  window_start BIGINT NOT NULL,
  uses BIGINT NOT NULL CHECK (uses > 0),
  spent BIGINT NOT NULL CHECK (spent BETWEEN 0 AND uses),
  heard_at BIGINT NOT NULL,
  ended BIGINT CHECK (ended = 1)
);
CREATE INDEX leases_count ON {schema}.leases (subject, window_start);

-- Calls per ApiKey that were let in.
CREATE TABLE {schema}.usage (
  uid TEXT COLLATE "C" PRIMARY KEY,
  uses BIGINT NOT NULL CHECK (uses BETWEEN 0 AND 9007199254740991),
  last_used BIGINT NOT NULL
);

-- Signatures that must not come again. The claim names the call that brought it first.
CREATE TABLE {schema}.signatures (
  key_id TEXT COLLATE "C" NOT NULL,
  digest BYTEA NOT NULL,
  claim TEXT COLLATE "C" NOT NULL,
  forget_at BIGINT NOT NULL,
  PRIMARY KEY (key_id, digest)
);
CREATE INDEX signatures_forget ON {schema}.signatures (forget_at);
`;
