/** What an operator says of rights that its account lacks. */
import { describe, expect, test } from 'vitest';
import { OPERATOR_RIGHTS } from '../../../src/api/rights.ts';
import { findLackingRights } from '../../../src/bin/rightscheck.ts';

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
