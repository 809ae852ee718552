/** Key values are in Secrets and nowhere else: not in the log, not in the files of the ledger. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { valuesEver, type Violation } from './books.ts';
import type { Site } from './site.ts';

/** Files of a site that hold a value which once left the operator. Names the file, never the value. */
export function findLeaks(site: Site): readonly Violation[] {
  const values = [...valuesEver(site)];
  return readdirSync(site.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .filter((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      return values.some((value) => bytes.includes(value));
    })
    .map(({ name }) => ({ kind: 'Leaked', text: `a value is readable in ${name}` }));
}
