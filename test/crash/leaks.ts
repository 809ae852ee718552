/** Key values are in Secrets and nowhere else: not in the log, not in the ledger's files or tables. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { everythingSecret, type Violation } from './books.ts';
import type { Site } from './site.ts';

/** Places of a site that hold a value which once left the operator. Names the place, never the value. */
export async function findLeaks(site: Site): Promise<readonly Violation[]> {
  const values = [...everythingSecret(site)];
  const files = readdirSync(site.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .filter((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      return values.some((value) => bytes.includes(value));
    })
    .map(({ name }) => name);
  const tables = await textOfTables(site);
  const isInTables = values.some(
    (value) => tables.includes(value) || tables.includes(Buffer.from(value).toString('hex')),
  );
  return [...files, ...(isInTables ? ['the tables'] : [])].map((place) => ({
    kind: 'Leaked',
    text: `a value is readable in ${place}`,
  }));
}

/** All rows of the plan in PostgreSQL, bytes as hexadecimal digits. */
async function textOfTables({ postgres, schema }: Site): Promise<string> {
  if (postgres === undefined) return '';
  const rows = `schema_to_xml('${schema}', true, false, '')`;
  const text = await postgres.sql(`SET xmlbinary TO hex; SELECT ${rows}`, 'keyward');
  return text + text.toLowerCase();
}
