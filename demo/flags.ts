/** What `npm run demo` can be told. */
import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run demo -- [--keep] [--context NAME]

  --keep           leave everything running at the end, and say how to reach and how to stop it
  --context NAME   use the cluster of this context of your kubeconfig instead of building one;
                   it must not have Keyward yet, and what the demo installs there is removed again
`;

/** The choices of one run. */
export type Flags = {
  readonly keep: boolean;
  /** A context of the user's kubeconfig; absent: a control plane of our own. */
  readonly context: string | undefined;
  readonly help: boolean;
};

/** Reads the command line. @throws TypeError of node:util for what is not a flag of ours */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keep: { type: 'boolean', default: false },
      context: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return { keep: values.keep, context: values.context, help: values.help };
}
