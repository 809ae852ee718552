/** Whoever gets the notices knows which forms wait for reviewers, without an inbox. */
import { describe, expect, test } from 'vitest';
import type { ApiKeyApplicationSpec } from '../../../../src/api/generated/apikeyapplication.ts';
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

describe('that a form waits no longer is told', () => {
  const DECIDED = 'keyward.application.decided';

  test('when it is deleted before anybody decided', async () => {
    const at = new Workshop();
    await at.submit();
    at.touch({ deletionTimestamp: '2026-01-05T09:00:00Z' });
    await at.pass();
    expect(told(at)).toEqual([OPENED, `${DECIDED} FormEnded`]);
    expect(at.audit.at(-1)?.facts).toMatchObject({ round: 1, closedRound: 1 });
  });

  test('when its client goes, or the day of its revocation comes, while a change of it waits', async () => {
    const withoutClient = await changing();
    endClient(withoutClient);
    await withoutClient.pass();
    expect(told(withoutClient).at(-1)).toBe(`${DECIDED} GrantEnded`);
    const revoked = await changing({
      revocation: { justification: 'Over', effectiveDate: '2026-01-10' },
    });
    await revoked.passDays(10);
    expect(told(revoked).at(-1)).toBe(`${DECIDED} GrantRevoked`);
    const { facts } = revoked.audit.at(-1) ?? {};
    expect(facts).toMatchObject({ closedRound: revoked.record().round?.number });
  });

  test('and the end of a form about which nobody was asked is not', async () => {
    const draft = new Workshop();
    await draft.submit({ submission: 'Draft' });
    const granted = new Workshop();
    await granted.submit();
    await granted.decide('Approved');
    granted.audit.length = 0;
    for (const at of [draft, granted]) {
      at.touch({ deletionTimestamp: '2026-01-05T09:00:00Z' });
      // oxlint-disable-next-line no-await-in-loop
      await at.pass();
      expect(at.audit.at(-1)?.action).toMatch(/Ended$/);
      expect(told(at)).toEqual([]);
    }
  });
});

/** A form with a grant, and with a change of it that waits for reviewers. */
async function changing(first: Partial<ApiKeyApplicationSpec> = {}): Promise<Workshop> {
  const at = new Workshop();
  await at.submit();
  await at.decide('Approved');
  if (first.revocation !== undefined) {
    at.edit(first);
    await at.pass();
    await at.decide('Approved');
  }
  at.edit({ purpose: 'Another one' });
  await at.pass();
  expect(at.record().round).toMatchObject({ type: 'Change', state: 'Pending' });
  return at;
}

function endClient(at: Workshop): void {
  at.ledger.documents.put({
    kind: 'Client',
    document: {
      clusterId: 'cluster-1',
      uid: 'client-1',
      namespace: 'team',
      name: 'shop',
      revision: 1,
      phase: 'Ended',
      state: 'Active',
    },
  });
  at.client = { type: 'Missing', name: 'shop' };
}
