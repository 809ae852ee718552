/**
 * What the workloads that a key restarts run with, and values that outlive their overlap as long as they
 * are used.
 */
export const MIGRATION_0007 = `
-- JSON; NULL: the key restarts no workloads.
ALTER TABLE keys ADD COLUMN rollout TEXT;
-- When the overlap ends, where the value may outlive it; NULL: it may not.
ALTER TABLE credentials ADD COLUMN overlap_end INTEGER;
`;
