/**
 * Forms, reviews, clients and decisions about keys: each a document that is read and replaced as a
 * whole. No query asks for what is inside, so the body stays JSON text.
 */
export const MIGRATION_0003 = `
-- One row per document, kept for ever. The first commit tells the newer of two objects of one name.
CREATE TABLE documents (
  kind TEXT NOT NULL,
  uid TEXT NOT NULL,
  cluster_id TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  first_commit INTEGER NOT NULL,
  revision INTEGER NOT NULL CHECK (revision > 0),
  phase TEXT NOT NULL CHECK (phase IN ('Live', 'Ended')),
  body TEXT NOT NULL,
  PRIMARY KEY (kind, uid)
) STRICT;
CREATE INDEX documents_name ON documents (kind, namespace, name) WHERE phase = 'Live';
`;
