/** What `npm run soak` can be told. */
import { parseArgs } from 'node:util';
import { amountOf, countOf } from '../../tools/flags.ts';

/** One soak, as asked for. */
export type SoakOptions = {
  readonly warmUpSeconds: number;
  readonly loadSeconds: number;
  readonly idleSeconds: number;
  /** Whole lives of keys begun per second. */
  readonly livesPerSecond: number;
  /** Questions to the gate per second. */
  readonly callsPerSecond: number;
  /** Keys that live through it all. */
  readonly keys: number;
};

/** What `--help` prints. */
export const USAGE = `npm run soak [-- options]

An operator and a gate, as they are installed, live with keys that come and go: warm-up and load, then
rest. Fails when memory, handles or the database keep what they should let go, when a resting operator
writes, or when an answer of the gate is wrong.

  --minutes N   in all: a fifth is warm-up, half is load, the rest is rest (20)
  --lives N     keys that are made, used, rotated and deleted per second (5)
  --calls N     questions to the gate per second (300)
  --keys N      keys that stay (1000)
`;

/** @throws Error with one sentence when a flag is unknown or not a number */
export function parseFlags(args: readonly string[]): SoakOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '20' },
      lives: { type: 'string', default: '5' },
      calls: { type: 'string', default: '300' },
      keys: { type: 'string', default: '1000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const seconds = amountOf('--minutes', values.minutes) * 60;
  return {
    warmUpSeconds: seconds * 0.2,
    loadSeconds: seconds * 0.5,
    idleSeconds: seconds * 0.3,
    livesPerSecond: amountOf('--lives', values.lives),
    callsPerSecond: amountOf('--calls', values.calls),
    keys: countOf('--keys', values.keys),
  };
}
