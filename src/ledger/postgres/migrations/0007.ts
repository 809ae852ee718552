/** Workloads to restart and values still in use, as SQLite's seventh migration has them. */
export const MIGRATION_0007 = `
-- JSON; NULL: the key restarts no workloads.
ALTER TABLE {schema}.keys ADD COLUMN rollout TEXT;
-- When the overlap ends, where the value may outlive it; NULL: it may not.
ALTER TABLE {schema}.credentials ADD COLUMN overlap_end BIGINT;
`;
