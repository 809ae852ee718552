/**
 * What gates write: reserved uses, how keys were used, and signatures that were seen. Neither the
 * counter of commits nor the audit chain knows of it, so the operator's commits never wait for more
 * than one short transaction of a gate.
 */
export const MIGRATION_0005 = `
-- Uses of one quota in one window that gates have reserved. The window that never ends has no end,
-- and its row is kept for ever; the others leave a day after theirs.
CREATE TABLE counts (
  subject TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  window_end INTEGER,
  reserved INTEGER NOT NULL CHECK (reserved BETWEEN 0 AND 9007199254740991),
  PRIMARY KEY (subject, window_start)
) STRICT, WITHOUT ROWID;
CREATE INDEX counts_end ON counts (window_end) WHERE window_end IS NOT NULL;

-- Uses that one gate hands out by itself; all of them are in "reserved" until it gives back what is
-- left. A row stays for a while after that, so that a late repetition reserves nothing.
CREATE TABLE leases (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  uses INTEGER NOT NULL CHECK (uses > 0),
  spent INTEGER NOT NULL CHECK (spent BETWEEN 0 AND uses),
  heard_at INTEGER NOT NULL,
  ended INTEGER CHECK (ended = 1)
) STRICT, WITHOUT ROWID;
CREATE INDEX leases_count ON leases (subject, window_start);

-- Calls per ApiKey that were let in.
CREATE TABLE usage (
  uid TEXT PRIMARY KEY,
  uses INTEGER NOT NULL CHECK (uses BETWEEN 0 AND 9007199254740991),
  last_used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Signatures that must not come again. The claim names the call that brought it first.
CREATE TABLE signatures (
  key_id TEXT NOT NULL,
  digest BLOB NOT NULL,
  claim TEXT NOT NULL,
  forget_at INTEGER NOT NULL,
  PRIMARY KEY (key_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX signatures_forget ON signatures (forget_at);
`;
