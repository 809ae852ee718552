/** What an operator says of rights that its account lacks. */
import { describe, expect, test } from 'vitest';
import { OPERATOR_RIGHTS } from '../../../src/api/rights.ts';
import { findLackingRights, startRightsCheck } from '../../../src/bin/rightscheck.ts';
import { MINUTE_MS } from '../../../src/kernel/time.ts';
import type { Logger } from '../../../src/kernel/log.ts';
import { FakeClock } from '../../support/clock.ts';

/** Rules of an account that has these rights in every namespace. */
const answerWith = (rights: typeof OPERATOR_RIGHTS, asked: string[] = []) => ({
  async ask(_: unknown, question: object) {
    // The question is the one that the code under test sends.
    asked.push((question as { spec: { namespace: string } }).spec.namespace);
    const resourceRules = rights.map(({ resources, subresource, verbs, names }) => ({
      verbs,
      apiGroups: resources.map(({ group }) => group),
      resources: resources.map(({ plural }) =>
        subresource === undefined ? plural : `${plural}/${subresource}`,
      ),
      resourceNames: names ?? [],
    }));
    return { status: { resourceRules, incomplete: false } };
  },
});

const config = {
  namespace: 'own',
  watchNamespaces: [] as string[],
  secretWatch: 'metadata' as const,
  metricsAuth: 'none' as const,
};
const { signal } = new AbortController();

describe('the look at the rights of the account', () => {
  test('finds nothing where all of the list is given, in each place once', async () => {
    const asked: string[] = [];
    const client = answerWith(OPERATOR_RIGHTS, asked);
    const scoped = { ...config, watchNamespaces: ['a', 'b'] };
    expect(await findLackingRights({ client, config: scoped, signal })).toEqual([]);
    expect(asked.toSorted()).toEqual(['a', 'b', 'default', 'own']);
  });

  test('names each that is missing, with place and consequence', async () => {
    const rights = OPERATOR_RIGHTS.filter(({ feature }) => feature !== 'SecretWatch');
    const client = answerWith(rights);
    expect(await findLackingRights({ client, config, signal })).toEqual([
      expect.objectContaining({
        lacks: 'list, watch secrets',
        namespace: 'default',
        without: expect.stringContaining('--secret-watch=none'),
        isSure: true,
      }),
    ]);
    const without = { ...config, secretWatch: 'none' as const };
    expect(await findLackingRights({ client, config: without, signal })).toEqual([]);
  });
});

test('rights that are taken and given while the operator runs are told once each, also by its probe', async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const tell = (message: string, facts: object = {}): void => {
    told.push(`${message}: ${Object.values(facts).slice(0, 2).join(' in ')}`);
  };
  const log: Logger = { debug: tell, info: tell, warn: tell, error: tell, with: () => log };
  const stop = new AbortController();
  let rights = OPERATOR_RIGHTS;
  let isAway = false;
  const client = {
    ask: (resource: unknown, question: object) =>
      isAway ? Promise.reject(new Error('away')) : answerWith(rights).ask(resource, question),
  };
  const lacking = startRightsCheck({ client, config, log, signal: stop.signal }, clock);
  await clock.advanceSettled(0);
  expect([told, lacking()]).toEqual([[], '']);
  rights = OPERATOR_RIGHTS.filter(({ feature }) => feature !== 'SecretWatch');
  await clock.advanceSettled(10 * MINUTE_MS);
  expect(told).toEqual(["The operator's account lacks a right: list, watch secrets in default"]);
  expect(lacking()).toContain('list, watch secrets in default');
  isAway = true;
  await clock.advanceSettled(5 * MINUTE_MS);
  expect(lacking()).toContain('list, watch secrets in default');
  isAway = false;
  rights = OPERATOR_RIGHTS;
  await clock.advanceSettled(5 * MINUTE_MS);
  expect(told.at(-1)).toBe(
    "The operator's account has a right again: list, watch secrets in default",
  );
  expect(lacking()).toBe('');
  stop.abort();
  await clock.advanceSettled(0);
  expect(clock.pendingTimers).toBe(0);
});
