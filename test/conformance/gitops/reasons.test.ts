/** No reason of src/api is without a verdict: whoever adds one says what GitOps tools make of it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { ensureGitops } from '../../../control-plane/gitops.ts';
import { CONDITION_TABLES, type ConditionTable } from '../../../src/api/conditiontables.ts';
import { mergeConditions, type ConditionType, type ReasonFact } from '../../../src/api/reasons.ts';
import { SEEN_MS, type Kind, type Shown } from './situation.ts';
import { besideOf, KINDS, MAKERS, rowsOf } from './states.ts';
import { judge } from './verdicts.ts';

const TABLES: Readonly<Record<Kind, ConditionTable>> = {
  ...CONDITION_TABLES,
  ClusterKeyStore: CONDITION_TABLES.KeyStore,
};

/** Rows in which something else than the reason of Ready decides. */
const UNLIKE = new Set(['edited', 'ledger-away']);

/** Conditions that kstatus itself knows, whatever their reason. */
const OF_KSTATUS = new Set(['Stalled', 'Reconciling']);

const BUILD_MS = 15 * 60_000;
beforeAll(() => ensureGitops(), BUILD_MS);

function reasonOf(ready: string): string {
  return ready.slice(ready.indexOf('/') + 1);
}

async function objectsOf(kind: Kind): Promise<readonly Shown[]> {
  return Promise.all(Object.values(MAKERS[kind]).map(async (make) => make()));
}

describe.each(KINDS)('%s', (kind) => {
  const { ready, further } = TABLES[kind];

  test('has a row for each reason of Ready, with the status and kstatus of the table in src/api', () => {
    const rows = rowsOf(kind).map((row) => row.ready);
    for (const [reason, { status }] of Object.entries(ready)) {
      expect(rows).toContain(`${status}/${reason}`);
    }
    const strange = rowsOf(kind).filter(
      (row) => !UNLIKE.has(row.name) && row.kstatus !== ready[reasonOf(row.ready)]?.kstatus,
    );
    expect(strange.map(({ name }) => name)).toEqual([]);
  });

  test('shows each reason of its further conditions, or says that it changes no verdict', async () => {
    const shownOnes = new Set(
      (await objectsOf(kind)).flatMap(({ status }) =>
        (status.conditions ?? []).map(({ type, reason }) => `${type}/${reason}`),
      ),
    );
    const missing = Object.entries(further)
      .filter(([type]) => !OF_KSTATUS.has(type))
      .flatMap(([type, facts]) => Object.keys(facts).map((reason) => `${type}/${reason}`))
      .filter((each) => !shownOnes.has(each));
    expect(missing.toSorted()).toEqual([...besideOf(kind)].toSorted());
  });

  test('is judged alike with and without a condition that is said to change no verdict', async () => {
    const objects = (await objectsOf(kind)).filter(
      ({ status }) => status.conditions?.some(({ type }) => OF_KSTATUS.has(type)) !== true,
    );
    const before = await judge(objects);
    for (const name of besideOf(kind)) {
      const [type = '', reason = ''] = name.split('/');
      const fact = further[type]?.[reason];
      if (fact === undefined) throw new Error(`${kind} has no condition ${name}`);
      const more = objects.map((object) => beside(object, type as ConditionType, reason, fact));
      // One run for each condition.
      // oxlint-disable-next-line no-await-in-loop
      const after = await judge(more);
      expect([name, statusesOf(after)]).toEqual([name, statusesOf(before)]);
    }
  });
});

test.each(KINDS)(
  '%s is in progress for everybody while it is Reconciling, whatever the reason',
  async (kind) => {
    const reasons = Object.entries(TABLES[kind].further['Reconciling'] ?? {});
    const working = (await objectsOf(kind)).filter(
      ({ status }) => status.conditions?.[0]?.status === 'True',
    );
    const busy = reasons.flatMap(([reason, fact]) =>
      working.map((object) => beside(object, 'Reconciling', reason, fact)),
    );
    for (const { argo, kstatus, strict, tolerant } of await judge(busy)) {
      expect(argo.status).toBe('Progressing');
      expect([kstatus, strict, tolerant].map(({ status }) => status)).toEqual(
        Array.from({ length: 3 }, () => 'InProgress'),
      );
    }
  },
);

function statusesOf(verdicts: Awaited<ReturnType<typeof judge>>): readonly (readonly string[])[] {
  return verdicts.map((each) => Object.values(each).map(({ status }) => status));
}

function beside(object: Shown, type: ConditionType, reason: string, fact: ReasonFact): Shown {
  const [made] = mergeConditions([], [{ type, reason, status: fact.status, message: 'why' }], {
    nowMs: SEEN_MS,
    generation: 1,
  });
  const others = (object.status.conditions ?? []).filter((condition) => condition.type !== type);
  const conditions = made === undefined ? others : [...others, made];
  return { ...object, status: { ...object.status, conditions } };
}
