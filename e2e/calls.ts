/** The workload's own record of its calls, as it stands in its log. Pure. */

/** What the workload has seen so far. */
export type Calls = {
  readonly answered: number;
  /** Lines of calls that did not get through, with the reason. */
  readonly refused: readonly string[];
  /** keyIds in the order of their first call. */
  readonly keyIds: readonly string[];
};

const LINE = /^called with (\S+): (.*)$/;

/** Reads lines like `called with kw_1: 200`; anything else is passed over. */
export function readCalls(log: string): Calls {
  const refused: string[] = [];
  const keyIds = new Set<string>();
  let answered = 0;
  for (const line of log.split('\n')) {
    const [, keyId = '', answer] = LINE.exec(line) ?? [];
    if (answer === undefined) continue;
    keyIds.add(keyId);
    if (answer === '200') answered += 1;
    else refused.push(line);
  }
  return { answered, refused, keyIds: [...keyIds] };
}
