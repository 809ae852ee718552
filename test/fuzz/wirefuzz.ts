/** Many random connections through both listeners; a difference is reduced by fast-check. */
import fc from 'fast-check';
import { isSame, startTwins, type Outcomes } from './twins.ts';
import { anySent, type Sent } from './wire.ts';

/** What a run has seen. */
export type WireResult = {
  readonly connections: number;
  /** Calls that both listeners asked about. */
  readonly calls: number;
  /** Connections on which a call was let through. */
  readonly yeses: number;
  /** Smallest form; absent: none. */
  readonly difference: { readonly sent: Sent; readonly outcomes: Outcomes } | undefined;
  /** Bad requests by kind, as each listener counts them. */
  readonly counted: { readonly fast: string; readonly node: string };
};

/** Runs so many connections; the same for the same seed. */
export async function fuzzWire(connections: number, seed: number): Promise<WireResult> {
  const twins = await startTwins();
  const seen = { calls: 0, yeses: 0 };
  const property = fc.asyncProperty(anySent, async (sent) => {
    const outcomes = await twins.send(sent);
    seen.calls += outcomes.node.calls.length;
    if (/^HTTP\/1\.1 20[04] /m.test(outcomes.node.text)) seen.yeses += 1;
    return isSame(outcomes);
  });
  const { numRuns, counterexample } = await fc.check(property, { numRuns: connections, seed });
  const sent = counterexample?.[0];
  const difference = sent && { sent, outcomes: await twins.send(sent) };
  const counted = await twins.counted();
  await twins.close();
  return { connections: numRuns, ...seen, difference, counted };
}
