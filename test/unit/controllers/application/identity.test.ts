/** Who wrote a form counts only if admission stamped it while the policies were in force. */
import { describe, expect, test } from 'vitest';
import { ANNOTATION_APPLICANT } from '../../../../src/api/names.ts';
import { DAY_MS, MINUTE_MS } from '../../../../src/kernel/time.ts';
import { Sightings } from '../../../../src/controllers/application/sightings.ts';
import { aFormSpec, aFormStore, APPLICANT, someRules, Workshop } from './workshop.ts';

describe('the policies', () => {
  test('while nobody can prove them, nothing is noted, nothing is opened, and it says so', async () => {
    const at = new Workshop();
    at.provenSinceMs = undefined;
    await at.submit();
    expect(at.find()).toBeUndefined();
    expect(at.ready).toBe('AwaitingProof');
    expect(at.condition('Stalled')).toBeUndefined();
    expect(at.sightings.takeAwaiting()).toEqual([{ namespace: 'team', name: 'web' }]);
    at.provenSinceMs = 0;
    await at.pass();
    expect(at.ready).toBe('PendingReview');
  });

  test('a form that was created in a gap never counts, however often it is edited', async () => {
    const at = new Workshop();
    at.put(aFormSpec());
    at.clock.advance(MINUTE_MS);
    at.provenSinceMs = at.clock.nowMs();
    await at.pass();
    expect(at.ready).toBe('IdentityUnverified');
    expect(at.condition('Ready')?.message).toContain('create it anew');
    at.clock.advance(MINUTE_MS);
    at.edit({ purpose: 'Another' });
    await at.pass();
    expect(at.ready).toBe('IdentityUnverified');
    expect(at.find()).toBeUndefined();
  });

  test('an edit in a gap opens no round; a later one heals it', async () => {
    const at = new Workshop();
    await at.submit();
    const { round } = at.record();
    at.clock.advance(MINUTE_MS);
    at.edit({ purpose: 'Forged' }, 'mallory');
    at.clock.advance(MINUTE_MS);
    at.provenSinceMs = at.clock.nowMs();
    await at.pass();
    expect(at.ready).toBe('IdentityUnverified');
    expect(at.record().round).toEqual(round);
    expect(at.record().seen).toMatchObject({ generation: 2, isProven: false });
    expect(at.audit.at(-1)).toMatchObject({ action: 'FormEdited', actor: 'operator' });
    at.clock.advance(MINUTE_MS);
    at.edit({ purpose: 'Honest' });
    await at.pass();
    expect(at.record().round).toMatchObject({ number: 2, content: { purpose: 'Honest' } });
  });

  test('an edit after a gap counts if the form was seen in between, and not if it was not', async () => {
    const at = new Workshop();
    await at.submit();
    at.clock.advance(MINUTE_MS);
    at.provenSinceMs = at.clock.nowMs();
    at.clock.advance(MINUTE_MS);
    await at.pass();
    at.edit({ purpose: 'After the gap' });
    await at.pass();
    expect(at.record().seen.isProven).toBe(true);
    at.clock.advance(MINUTE_MS);
    at.provenSinceMs = at.clock.nowMs();
    // A new process has not seen it since.
    at.sightings = new Sightings();
    at.clock.advance(MINUTE_MS);
    at.edit({ purpose: 'Who knows when' });
    await at.pass();
    expect(at.record().seen.isProven).toBe(false);
  });

  test('after a note from the future no edit counts that may have been made in a gap', async () => {
    const at = new Workshop();
    await at.submit();
    const { seen, ...record } = at.record();
    at.commit({ ...record, seen: { ...seen, atMs: at.clock.nowMs() + DAY_MS } });
    at.clock.advance(MINUTE_MS);
    at.edit({ purpose: 'Forged' }, 'mallory');
    at.clock.advance(MINUTE_MS);
    at.provenSinceMs = at.clock.nowMs();
    await at.pass();
    expect(at.record().seen).toMatchObject({ generation: 2, isProven: false });
  });

  test('two edits in one gap, of which the watch shows the first late, are both not believed', async () => {
    const at = new Workshop();
    await at.submit();
    at.clock.advance(MINUTE_MS);
    at.edit({ purpose: 'Forged' }, 'mallory');
    const { metadata } = at.object() ?? {};
    at.edit({ purpose: 'Forged again' }, 'mallory');
    at.clock.advance(MINUTE_MS);
    at.provenSinceMs = at.clock.nowMs();
    at.clock.advance(MINUTE_MS);
    at.shown = { generation: metadata?.generation ?? 0 };
    const result = await at.pass();
    expect(result).toMatchObject({ kind: 'wait', failure: { reason: 'CacheBehind' } });
    at.shown = undefined;
    await at.pass();
    expect(at.record().seen).toMatchObject({ generation: 3, isProven: false });
    expect(at.ready).toBe('IdentityUnverified');
  });

  test('a form that is older than what was seen of it comes from a restored cluster', async () => {
    const at = new Workshop();
    await at.submit();
    at.edit({ purpose: 'Two' });
    await at.pass();
    const { round } = at.record();
    at.edit({ purpose: 'Three' });
    at.touch({ generation: 1 });
    await at.pass();
    expect(at.ready).toBe('IdentityUnverified');
    expect(at.record().round).toEqual(round);
  });

  test('a form without a stamp never counts', async () => {
    const at = new Workshop();
    at.isStamping = false;
    await at.submit();
    expect(at.ready).toBe('IdentityUnverified');
    expect(at.find()).toBeUndefined();
  });
});

describe('the people', () => {
  test('the applicant is the one of the first sight; an annotation that says otherwise is said', async () => {
    const at = new Workshop();
    await at.submit();
    at.touch({ annotations: { [ANNOTATION_APPLICANT]: 'mallory' } });
    await at.pass();
    expect(at.ready).toBe('IdentityUnverified');
    expect(at.record().applicant).toEqual({ username: APPLICANT, source: 'Authenticated' });
    at.edit({ purpose: 'Mine now' }, 'mallory');
    await at.pass();
    expect(at.record().round?.content.purpose).toBe('Checkout');
  });

  test('editors only grow, even if their annotation is taken away', async () => {
    const at = new Workshop();
    await at.submit();
    at.edit({ purpose: 'Two' }, 'jun');
    await at.pass();
    at.touch({ annotations: { [ANNOTATION_APPLICANT]: APPLICANT } });
    at.edit({ purpose: 'Three' }, 'ara');
    await at.pass();
    expect(at.record().editors).toEqual(['jun', 'ara']);
  });

  test('only a listed attestor may speak for somebody else', async () => {
    const at = new Workshop();
    const onBehalfOf = { username: 'sori' };
    at.put(aFormSpec({ onBehalfOf }), 'portal');
    await at.pass();
    expect(at.ready).toBe('Incomplete');
    expect(at.condition('Ready')?.message).toContain("'portal'");
    expect(at.find()).toBeUndefined();
    at.store = aFormStore({ rules: someRules({ attestors: [{ username: 'portal' }] }) });
    await at.pass();
    expect(at.record().applicant).toEqual({
      username: 'sori',
      source: 'Asserted',
      attestedBy: 'portal',
    });
    expect(at.status.applicant).toEqual({ username: 'sori', source: 'Asserted' });
    expect(at.audit[0]?.actor).toBe('portal');
  });

  test('an attestor that is listed no more opens no further round', async () => {
    const at = new Workshop();
    at.store = aFormStore({ rules: someRules({ attestors: [{ username: 'portal' }] }) });
    at.put(aFormSpec({ onBehalfOf: { username: 'sori' } }), 'portal');
    await at.pass();
    at.store = aFormStore();
    at.edit({ purpose: 'More' }, 'portal');
    await at.pass();
    expect(at.status.state).toBe('Incomplete');
    expect(at.record().round?.state).toBe('Withdrawn');
  });

  test("who speaks for himself needs nobody's consent", async () => {
    const at = new Workshop();
    await at.submit({ onBehalfOf: { username: APPLICANT } });
    expect(at.record().applicant).toEqual({ username: APPLICANT, source: 'Authenticated' });
  });
});
