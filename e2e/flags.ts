/** What `npm run e2e` can be told. Pure. */
import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run e2e -- [--keep] [--image TAR] [--chart FOLDER]

  --keep          leave everything running at the end, until Ctrl-C, and say how to reach it
  --image TAR     test this image (a tar of docker save) instead of building one
  --chart FOLDER  install this chart instead of charts/keyward

Needs Linux and root, for namespaces, mounts and cgroups of its own. docs/e2e.md says more.
`;

/** The choices of one run. */
export type Flags = {
  readonly keep: boolean;
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
      image: { type: 'string' },
      chart: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { keep, image, chart, help } = values;
  return { keep, image, chart, help };
}
