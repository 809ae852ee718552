/** Whoever gets the notices knows which forms wait for reviewers, without an inbox. */
import { describe, expect, test } from 'vitest';
import { noticeOf } from '../../../../src/controllers/notices/message.ts';
import type { AuditLine } from '../../../../src/ledger/port.ts';
import { Workshop } from '../application/workshop.ts';

/** Types and actions of what is told of the form. */
function told({ audit }: Workshop): readonly string[] {
  return audit.flatMap((entry, index) => {
    const line: AuditLine = { number: index + 1, uid: 'form', ...entry };
    const notice = noticeOf(line, 'db');
    return notice === undefined ? [] : [`${notice.type} ${String(notice.data['action'])}`];
  });
}

const OPENED = 'keyward.application.submitted RoundOpened';
const REPLACED = 'keyward.application.submitted RoundReplaced';

describe('that a form waits for reviewers is told', () => {
  test('when it is submitted, and again when an edit puts another round in place of that one', async () => {
    const at = new Workshop();
    await at.submit();
    expect(told(at)).toEqual([OPENED]);
    at.edit({ purpose: 'Another one' });
    await at.pass();
    expect(told(at)).toEqual([OPENED, REPLACED]);
  });

  test('when it asks for new values while a change of it waits', async () => {
    const at = new Workshop();
    await at.submit();
    await at.decide('Approved');
    at.edit({ purpose: 'Another one' });
    await at.pass();
    at.edit({ reissue: { requestId: 'leak', reason: 'Exposed', whileWaiting: 'Suspend' } });
    await at.pass();
    expect(at.record().round).toMatchObject({ type: 'Reissue', state: 'Pending' });
    expect(told(at).at(-1)).toBe(REPLACED);
  });
});
