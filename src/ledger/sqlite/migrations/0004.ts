/** Keys say which grant they follow and for whom they were issued, so that the gate can count by it. */
export const MIGRATION_0004 = `
ALTER TABLE keys ADD COLUMN form_uid TEXT;
ALTER TABLE keys ADD COLUMN grant_round INTEGER CHECK ((grant_round IS NULL) = (form_uid IS NULL));
ALTER TABLE keys ADD COLUMN client_uid TEXT;
`;
