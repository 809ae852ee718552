/** What `npm run demo` can be told. */
import { parseArgs } from 'node:util';
import { isFormsName, type FormsName } from './forms/name.ts';
import { isVendorName, type Dialect } from './vendor/dialect.ts';

export const USAGE = `usage: npm run demo -- [STORY] [--keep] [--context NAME] [--database sqlite|postgres]

  STORY            absent: the life of keys in the built-in store
                   naver, solapi: keys live at that vendor, a fake of it, spoken to over HTTP
                   visitseoul, digirunner: keys are applied for, reviewed and issued, as there
                   gate: real nginx and Envoy ask the gate about every call of a small API

  --keep           leave everything running at the end, and say how to reach and how to stop it
  --context NAME   use the cluster of this context of your kubeconfig instead of building one;
                   it must not have Keyward yet, and what the demo installs there is removed again
  --database KIND  keep the ledger in a file (sqlite, the default) or on a PostgreSQL 15 that the
                   demo starts: one that is installed, or one unpacked from Debian's packages
`;

const STORIES = 'naver, solapi, visitseoul, digirunner or gate';

/** The choices of one run. */
export type Flags = {
  readonly keep: boolean;
  /** A context of the user's kubeconfig; absent: a control plane of our own. */
  readonly context: string | undefined;
  readonly database: 'sqlite' | 'postgres';
  /** Where keys live; absent: in the built-in store. */
  readonly vendor: Dialect['name'] | undefined;
  /** Whose way of applying is shown; absent: keys need no application. */
  readonly forms: FormsName | undefined;
  /** Whether calls go through real gateways. */
  readonly gateways: boolean;
  readonly help: boolean;
};

/** Reads the command line. @throws TypeError for what is not a flag of ours */
export function readFlags(args: readonly string[]): Flags {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      keep: { type: 'boolean', default: false },
      context: { type: 'string' },
      database: { type: 'string', default: 'sqlite' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { keep, context, database, help } = values;
  if (database !== 'sqlite' && database !== 'postgres') {
    throw new TypeError(`--database takes sqlite or postgres, not '${database}'`);
  }
  const [story, ...more] = positionals;
  if (more.length > 0) throw new TypeError(`one story at a time, not '${positionals.join(' ')}'`);
  const vendor = story !== undefined && isVendorName(story) ? story : undefined;
  const forms = story !== undefined && isFormsName(story) ? story : undefined;
  const gateways = story === 'gate';
  if (story !== undefined && vendor === undefined && forms === undefined && !gateways) {
    throw new TypeError(`the story is ${STORIES}, not '${story}'`);
  }
  return { keep, context, database, help, vendor, forms, gateways };
}
