/** Qualified names: no session is told where to look, so every statement says it. Pure. */

/** The text with each `{schema}` replaced by the quoted schema. */
export function qualify(sql: string, schema: string): string {
  return sql.replaceAll('{schema}', `"${schema.replaceAll('"', '""')}"`);
}

/** Replaces `{schema}` in statements of one ledger. */
export type Qualify = (sql: string) => string;
