import { describe, expect, test } from 'vitest';
import {
  byWaiting,
  inboxNext,
  inboxTable,
  waitingOf,
  whereaboutsOf,
  type Waiting,
} from '../../../src/cli/inbox.ts';
import { plain } from '../../../src/cli/output.ts';
import { changeForm, NOW_MS } from './forms.ts';

const how = { nowMs: NOW_MS, wide: 'Narrow', paint: plain } as const;

function waiting(form = changeForm()): Waiting {
  const found = waitingOf(form);
  if (found === undefined) throw new Error('it does not wait');
  return found;
}

describe('the inbox', () => {
  test('has a row for each form: store, type, where from, who, what, how long', () => {
    expect(inboxTable([waiting()], how)).toBe(
      [
        'STORE     APPLICATION   TYPE     FROM   APPLICANT         ASKS                WAITING',
        'default   payments      Change   shop   jin@example.com   quota 1000 → 5000   3d (lapses in 11d)\n',
      ].join('\n'),
    );
    expect(inboxTable([waiting()], { ...how, wide: 'Wide' })).toContain('security\n');
  });

  test('leaves out what waits no more', () => {
    expect(waitingOf(changeForm({ status: { state: 'Approved' } }))).toBeUndefined();
  });

  test('puts who waits longest first, and equal ones by name', () => {
    const at = (name: string, submittedMs: number) => ({ namespace: 'n', name, submittedMs });
    const order = byWaiting([at('c', 2), at('b', 1), at('a', 2)]).map(({ name }) => name);
    expect(order).toEqual(['b', 'a', 'c']);
  });

  test('says how many wait and what to do next', () => {
    expect(inboxNext([], 0)).toBe('nothing waits\n');
    expect(inboxNext([waiting()], 1)).toBe('1 waiting. Next: keyward review payments -n shop\n');
    expect(inboxNext([waiting()], 5000)).toContain('5000 waiting, of which the oldest 1 are shown');
  });

  test('cannot be given rows or columns by an applicant', () => {
    const evil = 'x   other   Issue   bank\n\u001b[31mdefault   approve-me';
    const text = inboxTable(
      [
        waiting(
          changeForm({
            status: {
              applicant: { username: evil, source: 'Authenticated' },
              round: { number: 1, type: 'Issue', changes: [{ field: 'purpose', to: evil }] },
            },
          }),
        ),
      ],
      how,
    );
    expect(text.trimEnd().split('\n')).toHaveLength(2);
    const [, row = ''] = text.split('\n');
    expect(row.split(/ {3,}/)).toHaveLength(7);
    expect(row).not.toContain('\u001b');
  });

  test("reads the server's own table, and knows a row that says too little", () => {
    expect(whereaboutsOf(['a', 'shop', '2027-01-01T00:00:00Z'])).toEqual({
      name: 'a',
      namespace: 'shop',
      submittedMs: Date.parse('2027-01-01T00:00:00Z'),
    });
    expect(whereaboutsOf(['a', undefined, undefined])).toBeUndefined();
  });
});
