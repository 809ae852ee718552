/** A key that was rotated from two places, and then a database that knows nothing of it. */
import { describe, expect, test } from 'vitest';
import { ANNOTATION_ROTATE, API_KEYS, API_VERSION } from '../../../../src/api/names.ts';
import { aRotation } from '../../../support/world.ts';
import { Desk, WEB } from './desk.ts';

/** Requests of one object: in its spec, as Git has them, and in the annotation of `keyward rotate`. */
type Asked = { readonly spec?: string; readonly annotation?: string };

function ask(desk: Desk, { spec, annotation }: Asked): void {
  const rotation = spec === undefined ? {} : { rotation: aRotation({ requestId: spec }) };
  desk.putPlain(rotation, annotation === undefined ? {} : { [ANNOTATION_ROTATE]: annotation });
}

/** The requests were handled one after the other; then the database was lost. */
async function forgotten(at: 'M' | undefined, history: readonly Asked[]): Promise<Desk> {
  const before = new Desk(at);
  for (const asked of history) {
    ask(before, asked);
    // Each has to be handled before the next is made.
    // oxlint-disable-next-line no-await-in-loop
    await before.settle();
    expect(before.ready).toMatchObject({ status: 'True' });
  }
  const desk = new Desk(at);
  const object = before.cluster.find(API_KEYS, WEB);
  desk.cluster.set(API_KEYS, WEB, object && { apiVersion: API_VERSION, kind: 'ApiKey', ...object });
  return desk;
}

const HISTORIES = [
  ['the annotation last', [{}, { spec: 'r1' }, { spec: 'r1', annotation: 'r2' }]],
  ['the spec last', [{}, { annotation: 'r2' }, { spec: 'r1', annotation: 'r2' }]],
  [
    'a revert in Git last',
    [
      { spec: 'r1' },
      { spec: 'r1', annotation: 'r2' },
      { spec: 'r0', annotation: 'r2' },
      { spec: 'r1', annotation: 'r2' },
    ],
  ],
] as const;

describe.each([
  ['here', undefined],
  ['at a vendor', 'M'],
] as const)('A key %s that the database forgot, rotated from spec and annotation,', (_, at) => {
  test.each(HISTORIES)('is not issued anew unasked, with %s', async (__, history) => {
    const desk = await forgotten(at, history);
    await desk.settle();
    expect(desk.ready).toMatchObject({ reason: 'KeyNotInLedger' });
    expect(desk.record).toBeUndefined();
    expect(desk.vendor.credentials.size).toBe(0);
  });

  const next: readonly Asked[] = [
    { spec: 'r3', annotation: 'r2' },
    { spec: 'r1', annotation: 'r3' },
  ];
  const cases = HISTORIES.flatMap(([name, history]) =>
    next.map((asked) => [JSON.stringify(asked), name, history, asked] as const),
  );
  test.each(cases)(
    'is issued once when somebody asks anew: %s, with %s',
    async (__, ___, history, asked) => {
      const desk = await forgotten(at, history);
      await desk.settle();
      ask(desk, asked);
      await desk.settle();
      await desk.settle();
      expect(desk.ready).toMatchObject({ status: 'True' });
      expect(desk.record).toMatchObject({ sequence: 1, lastRotationRequestId: 'r3' });
      expect(desk.vendor.credentials.size).toBe(at === undefined ? 0 : 1);
      expect(desk.status?.lastHandledRotationRequestId).toBe('r3');
    },
  );
});
