/** Values that consumers hold already become keys of ours, and go on working as they are. */
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../../src/kernel/time.ts';
import { buildValue } from '../../../../src/keys/format.ts';
import { foreignTexts } from '../../../support/imports.ts';
import { aRotation, aSecretSpec } from '../../../support/world.ts';
import { Desk } from './desk.ts';

async function waiting(spec: Parameters<Desk['putImport']>[0] = {}, builtin = {}): Promise<Desk> {
  const desk = new Desk(undefined, builtin);
  desk.putImport(spec);
  await desk.pass();
  return desk;
}

async function imported(
  texts: readonly string[],
  ...given: Parameters<typeof waiting>
): Promise<Desk> {
  const desk = await waiting(...given);
  expect(await desk.bring(texts)).toBe('ApiKey shop/web: imported');
  return desk;
}

describe('an ApiKey that waits for values', () => {
  it('has a record with its terms, no value and no Secret, and says what it waits for', async () => {
    const desk = await waiting({ terms: { quota: { requests: 5, period: 'Day' } } });
    expect(desk.record).toMatchObject({
      phase: 'Live',
      terms: { quota: { requests: 5 } },
      credentials: [{ state: 'Unknown', origin: 'Imported', slots: [] }],
    });
    expect(desk.entries).toEqual({});
    expect(desk.status?.keyId).toBeUndefined();
    expect(desk.ready).toMatchObject({
      reason: 'Pending',
      message: expect.stringContaining('keyward import - --apikey shop/web'),
    });
  });

  it('looks into the ledger now and then: another process may import', async () => {
    const desk = await waiting();
    expect(desk.lookAgainAtMs).toBe(desk.clock.nowMs() + 30_000);
    expect(await desk.pass()).toEqual([]);
  });

  it('follows its spec while it waits', async () => {
    const desk = await waiting();
    desk.putImport({ state: 'Suspended', terms: { cidrs: ['10.0.0.0/8'] } });
    await desk.pass();
    expect(desk.record).toMatchObject({ state: 'Suspended', terms: { cidrs: ['10.0.0.0/8'] } });
    expect(await desk.bring(foreignTexts('Opaque'))).toContain('imported');
  });

  it('waits no longer once it is revoked', async () => {
    const desk = await waiting();
    desk.putImport({ state: 'Revoked' });
    await desk.pass();
    expect(desk.record?.credentials).toEqual([]);
    expect(await desk.bring(foreignTexts('Opaque'))).toBe('NothingToImport');
  });

  it('is given up for a new value in an emergency, and by nothing less', async () => {
    const desk = await waiting();
    desk.putImport({ rotation: aRotation({ requestId: 'planned' }) });
    await desk.pass();
    expect(desk.record?.credentials).toMatchObject([{ state: 'Unknown' }]);
    desk.putImport({ rotation: aRotation({ requestId: 'now', urgency: 'Emergency' }) });
    await desk.pass();
    expect(desk.record?.credentials).toMatchObject([{ state: 'Active', origin: 'Issued' }]);
    expect(await desk.bring(foreignTexts('Opaque'))).toBe('NothingToImport');
  });
});

describe('an imported value', () => {
  it.each(['Opaque', 'Dual'] as const)(
    'of format %s works from the commit on, and then stands in the Secret as it is',
    async (format) => {
      const texts = foreignTexts(format);
      const desk = await imported(texts, { format });
      for (const text of texts) expect(desk.holders(text)).toHaveLength(1);
      expect(await desk.pass()).toEqual(['WriteSecret', 'Confirm']);
      const [first = '', second] = texts;
      expect(desk.entries).toMatchObject({
        apiKey: first,
        ...(second === undefined ? {} : { primaryKey: first, secondaryKey: second }),
      });
      expect(desk.ready).toMatchObject({ status: 'True' });
      // The sealed copy goes, as of every other value.
      expect(desk.record?.credentials[0]?.slots.every(({ sealed }) => sealed === undefined)).toBe(
        true,
      );
    },
  );

  it('of a pair keeps its public half, which is told, and its secret, which signs (R64)', async () => {
    const [apiKey = '', apiSecret = ''] = foreignTexts('KeyPair');
    const builtin = { profile: 'Solapi' };
    const desk = await imported([apiKey, apiSecret], { format: 'KeyPair' }, builtin);
    desk.store = {
      ...desk.store,
      capabilities: { ...desk.store.capabilities, recoverable: true },
    };
    await desk.pass();
    expect(desk.entries).toMatchObject({ apiKey, apiSecret });
    expect(desk.status?.keyHint).toBe(apiKey);
    expect(desk.record?.credentials[0]?.slots).toMatchObject([
      { name: 'apiSecret', sealed: expect.anything() },
    ]);
  });

  it('shows no letter of itself in status, ledger or audit', async () => {
    const [text = ''] = foreignTexts('Opaque');
    const desk = await imported([text]);
    await desk.pass();
    const all = JSON.stringify([desk.status, desk.record]);
    expect(all).not.toContain(text.slice(0, 8));
    expect(all).not.toContain(text.slice(-8));
    expect(desk.status?.keyHint).toMatch(/^imported_[0-9A-Za-z]{4}\.\.\.$/);
  });

  it('is taken once: the same again changes nothing, another one is refused', async () => {
    const texts = foreignTexts('Dual');
    const desk = await imported(texts, { format: 'Dual' });
    const { record } = desk;
    expect(await desk.bring(texts)).toBe('ApiKey shop/web: imported before');
    expect(await desk.bring(texts.toReversed())).toBe('NothingToImport');
    expect(await desk.bring([texts[0] ?? '', foreignTexts('Opaque')[0] ?? ''])).toBe(
      'NothingToImport',
    );
    expect(desk.record).toEqual(record);
  });

  it('is not left unnoticed by a rotation: the next value is ours, and it overlaps', async () => {
    const [text = ''] = foreignTexts('Opaque');
    const desk = await imported([text]);
    await desk.pass();
    desk.putImport({ rotation: aRotation({ requestId: 'r1', overlapSeconds: 3_600 }) });
    await desk.pass();
    expect(desk.entries).toMatchObject({
      apiKey: expect.stringMatching(/^kw_/),
      previousApiKey: text,
    });
    expect(desk.holders(text)).toEqual(['apiKey']);
    expect(desk.admits(desk.value)).toBe(true);
    await desk.clock.advanceSettled(3_600_000);
    await desk.pass();
    expect(desk.holders(text)).toEqual([]);
    expect(desk.admits(desk.value)).toBe(true);
    expect(await desk.bring([text])).toBe('ApiKey shop/web: imported before');
  });

  it('of a Dual key is replaced slot by slot; the other one goes on', async () => {
    const [first = '', second = ''] = foreignTexts('Dual');
    const desk = await imported([first, second], { format: 'Dual' });
    await desk.pass();
    const rotation = aRotation({ requestId: 'r1', slot: 'Secondary' });
    desk.putImport({ format: 'Dual', rotation });
    await desk.pass();
    expect(desk.holders(second)).toEqual([]);
    expect(desk.holders(first)).toEqual(['primaryKey']);
    expect(desk.entries['primaryKey']).toBe(first);
    expect(desk.admits(desk.entries['secondaryKey'] ?? '')).toBe(true);
  });

  it('is recognised in its Secret, and its loss is noticed', async () => {
    const [text = ''] = foreignTexts('Opaque');
    const desk = await imported([text]);
    await desk.pass();
    desk.putImport({ secret: aSecretSpec({ labels: { team: 'a' } }) });
    expect(await desk.pass()).toEqual(['WriteSecret', 'Confirm']);
    expect(desk.value).toBe(text);
  });

  it('ends like every other, and never comes back for another key', async () => {
    const [text = ''] = foreignTexts('Opaque');
    const desk = await imported([text]);
    await desk.pass();
    desk.putImport({ state: 'Revoked' });
    await desk.pass();
    expect(desk.holders(text)).toEqual([]);
    await desk.clock.advanceSettled(60 * DAY_MS);
    expect(desk.holders(text)).toEqual([]);
  });
});

describe('a value is refused', () => {
  it('when it is ours, malformed or weak; the weak one on demand is not', async () => {
    const desk = await waiting();
    const ours = buildValue({ prefix: 'kw', keyId: 'a'.repeat(16), secret: 'b'.repeat(43) });
    expect(await desk.bring([ours])).toBe('ValueOfKeyward');
    expect(await desk.bring(['two words of a value'])).toBe('ValueMalformed');
    expect(await desk.bring(['a', 'b'])).toBe('ValueCount');
    expect(await desk.bring(['changeme'])).toBe('ValueWeak');
    expect(desk.record?.credentials).toMatchObject([{ state: 'Unknown' }]);
    expect(await desk.bring(['changeme'], 'Any')).toContain('imported');
  });

  it('when a key was issued already: an import takes no value away', async () => {
    const desk = new Desk();
    desk.putImport();
    desk.store = { ...desk.store };
    await desk.pass();
    await desk.bring(foreignTexts('Opaque'));
    await desk.pass();
    const before = desk.value;
    expect(await desk.bring(foreignTexts('Opaque'))).toBe('NothingToImport');
    await desk.pass();
    expect(desk.value).toBe(before);
  });

  it('when somebody else changed the key at the same moment; nothing of it is left', async () => {
    const desk = await waiting();
    const { record } = desk;
    desk.putImport({ state: 'Suspended' });
    const passing = desk.pass().catch(() => []);
    const [answer] = await Promise.all([desk.bring(foreignTexts('Opaque')), passing]);
    expect(['Stale', 'ApiKey shop/web: imported']).toContain(answer);
    await desk.pass();
    expect(desk.record?.state).toBe('Suspended');
    expect(desk.record?.revision).toBeGreaterThan(record?.revision ?? 0);
  });
});
