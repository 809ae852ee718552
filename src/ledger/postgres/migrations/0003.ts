/**
 * Forms, reviews, clients and decisions about keys, as SQLite's third migration has them. The body is
 * TEXT and not JSONB: JSONB refuses U+0000, which JSON text carries escaped, and reorders members.
 */
export const MIGRATION_0003 = `
-- One row per document, kept for ever. The first commit tells the newer of two objects of one name.
CREATE TABLE {schema}.documents (
  kind TEXT COLLATE "C" NOT NULL,
  uid TEXT COLLATE "C" NOT NULL,
  cluster_id TEXT COLLATE "C" NOT NULL,
  namespace TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  first_commit BIGINT NOT NULL,
  revision BIGINT NOT NULL CHECK (revision > 0),
  phase TEXT NOT NULL CHECK (phase IN ('Live', 'Ended')),
  body TEXT NOT NULL,
  PRIMARY KEY (kind, uid)
);
CREATE INDEX documents_name ON {schema}.documents (kind, namespace, name) WHERE phase = 'Live';
`;
