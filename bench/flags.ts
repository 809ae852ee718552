/** What `npm run bench` can be told. Called by main.ts. */
import { parseArgs } from 'node:util';
import { countOf } from '../tools/flags.ts';

/** One bench, as asked for. */
export type BenchOptions = {
  /** How many ApiKeys, one series of rounds for each number, smallest first. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** No further round of a size begins when it would end later than this, in seconds. */
  readonly budgetSeconds: number;
  /** Open-loop part: how long keys arrive, in seconds. */
  readonly arriveSeconds: number;
  /** How long the idle operator is looked at, in seconds. */
  readonly idleSeconds: number;
  /** Where the figures go as JSON; absent: a file named by the time in bench/results. */
  readonly jsonFile: string | undefined;
  /** JavaScript or TypeScript file of the command line; absent: a fresh bundle. */
  readonly entry: string | undefined;
  /** Flags of Node for the operator, such as --cpu-prof. */
  readonly nodeFlags: readonly string[];
  readonly database: 'sqlite' | 'postgres';
};

/** What `--help` prints. */
export const USAGE = `usage: npm run bench -- [flags]
       npm run bench -- gate [flags]   the gate; see npm run bench -- gate --help
  --keys N,N          sizes (1000,10000)
  --rounds N          rounds per size; W and the operator take turns (3)
  --minutes N         begin no round, but the first of each size, that would end later (15)
  --quick             1000 keys, one round, short half-load and idle parts; at most 2 minutes
  --json FILE         where the figures go (bench/results/TIME.json)
  --arrive-seconds N  length of the half-load part (25)
  --idle-seconds N    length of the idle part (60)
  --entry FILE        measure this program instead of a fresh bundle
  --database KIND     sqlite, or postgres: a server on this machine that waits for its disk (sqlite)
  --node-flag FLAG    for the operator's Node; may be repeated
`;

/** @throws Error with one sentence when a flag is unknown or not a number */
export function parseFlags(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: 'string' },
      rounds: { type: 'string' },
      minutes: { type: 'string', default: '15' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      'arrive-seconds': { type: 'string' },
      'idle-seconds': { type: 'string' },
      entry: { type: 'string' },
      database: { type: 'string', default: 'sqlite' },
      'node-flag': { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const defaults = values.quick
    ? { keys: '1000', rounds: '1', arrive: '10', idle: '15' }
    : { keys: '1000,10000', rounds: '3', arrive: '25', idle: '60' };
  const sizes = (values.keys ?? defaults.keys).split(',').map((text) => countOf('--keys', text));
  return {
    sizes: sizes.toSorted((a, b) => a - b),
    rounds: countOf('--rounds', values.rounds ?? defaults.rounds),
    budgetSeconds: countOf('--minutes', values.minutes) * 60,
    arriveSeconds: countOf('--arrive-seconds', values['arrive-seconds'] ?? defaults.arrive),
    idleSeconds: countOf('--idle-seconds', values['idle-seconds'] ?? defaults.idle),
    jsonFile: values.json,
    entry: values.entry,
    nodeFlags: values['node-flag'] ?? [],
    database: databaseKind(values.database),
  };
}

function databaseKind(text: string): BenchOptions['database'] {
  if (text === 'sqlite' || text === 'postgres') return text;
  throw new Error(`--database takes sqlite or postgres, not "${text}"`);
}
