/** What `npm run e2e` can be told. Pure. */
import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run e2e -- [--keep] [--database sqlite|postgres] [--image TAR] [--chart FOLDER]

  --keep          leave everything running at the end, until Ctrl-C, and say how to reach it
  --database KIND sqlite (the default): operator and gate in one pod, with a volume; or postgres:
                  two operators and three gates, on a PostgreSQL 15 beside the node
  --image TAR     test this image (a tar of docker save) instead of building one
  --chart FOLDER  install this chart instead of charts/keyward

Needs Linux and root, for namespaces, mounts and cgroups of its own. docs/e2e.md says more.
`;

/** The choices of one run. */
export type Flags = {
  readonly keep: boolean;
  readonly database: 'sqlite' | 'postgres';
  /** Path of a tar; absent: built by tools/image. */
  readonly image: string | undefined;
  /** Path of a folder; absent: charts/keyward. */
  readonly chart: string | undefined;
  readonly help: boolean;
};

/** Reads the command line. @throws TypeError for what is not a flag of ours */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keep: { type: 'boolean', default: false },
      database: { type: 'string', default: 'sqlite' },
      image: { type: 'string' },
      chart: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { keep, database, image, chart, help } = values;
  if (database !== 'sqlite' && database !== 'postgres') {
    throw new TypeError(`--database takes sqlite or postgres, not '${database}'`);
  }
  return { keep, database, image, chart, help };
}
