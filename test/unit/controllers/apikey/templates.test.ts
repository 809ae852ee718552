/** Secrets in which a value stands in the midst of a file, as `layout: Template` makes them. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ApiKeySecret, ApiKeySpec } from '../../../../src/api/generated/apikey.ts';
import { SECRETS } from '../../../../src/api/names.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { DAY_MS } from '../../../../src/kernel/time.ts';
import type { KeyFormat } from '../../../../src/keys/format.ts';
import { foreignGuesses, type Filling } from '../../../../src/controllers/apikey/guessing.ts';
import {
  affordable,
  DIGEST_STEPS,
  STEPS_MAX,
} from '../../../../src/controllers/apikey/recalling.ts';
import { templateParts } from '../../../../src/controllers/apikey/secret.ts';
import { openRound } from '../../../../src/ledger/formchanges.ts';
import { countReview } from '../../../../src/ledger/formdecisions.ts';
import {
  aDecision,
  aRequest,
  aRoundRequest,
  aSubmittedForm,
  FORM_AT_MS,
} from '../../../support/forms.ts';
import { foreignTexts } from '../../../support/imports.ts';
import { aRotation, aSecretSpec, aStore } from '../../../support/world.ts';
import { Desk, WEB } from './desk.ts';

type Template = Readonly<Record<string, string>>;

/** The shipped sample, as a person applies it. */
const SAMPLE = parse(readFileSync('samples/60-template.yaml', 'utf8')) as {
  readonly spec: { readonly secret: Partial<ApiKeySecret> };
};
const sample = (change: Partial<ApiKeySecret> = {}): ApiKeySecret =>
  aSecretSpec({ ...SAMPLE.spec.secret, ...change });
const templated = (template: Template, change: Partial<ApiKeySecret> = {}): ApiKeySecret =>
  aSecretSpec({ type: 'Opaque', layout: 'Template', template, ...change });
const planned = (requestId: string): NonNullable<ApiKeySpec['rotation']> =>
  aRotation({ requestId });

async function issued(desk: Desk, spec: Partial<ApiKeySpec>): Promise<Desk> {
  desk.putPlain(spec);
  await desk.settle();
  expect(desk.ready).toMatchObject({ status: 'True' });
  return desk;
}

/** The value in the file of the sample. */
function fileValue({ entries }: Desk): string {
  return /^key = (.+)$/m.exec(entries['client.ini'] ?? '')?.[1] ?? '';
}

describe('A key whose template wraps its value', () => {
  let desk: Desk;
  let value: string;
  beforeEach(async () => {
    desk = await issued(new Desk(), { secret: sample() });
    value = fileValue(desk);
  });

  test('finds it admitted as it stands in the file', () => {
    expect(desk.admits(value)).toBe(true);
  });

  test('keeps it when a label changes', async () => {
    desk.putPlain({ secret: sample({ labels: { team: 'sales' } }) });
    expect(await desk.pass()).toEqual(['WriteSecret', 'Confirm']);
    expect(fileValue(desk)).toBe(value);
    expect(desk.cluster.find(SECRETS, WEB)?.metadata.labels).toMatchObject({ team: 'sales' });
  });

  test('keeps it when another release gives the Secret another shape', async () => {
    const record = desk.record!;
    const secret = { ...record.secret!, shape: 'of a release before' };
    desk.memory.records.set(record.uid, { ...record, secret });
    expect(await desk.pass()).toEqual(['WriteSecret', 'Confirm']);
    expect(fileValue(desk)).toBe(value);
    expect(await desk.pass()).toEqual([]);
  });

  test('keeps it through another template, another layout, and back', async () => {
    desk.putPlain({ secret: templated({ url: 'https://a:{{ .apiKey }}@example.org' }) });
    await desk.pass();
    expect(desk.entries).toEqual({ url: `https://a:${value}@example.org` });
    desk.putPlain({ secret: aSecretSpec({ type: 'Opaque' }) });
    await desk.pass();
    expect(desk.entries).toMatchObject({ apiKey: value });
    desk.putPlain({ secret: sample() });
    await desk.pass();
    expect(fileValue(desk)).toBe(value);
    expect(desk.record?.sequence).toBe(1);
  });

  test('keeps it when somebody writes around it, which is put right', async () => {
    const { data, ...secret } = desk.cluster.find(SECRETS, WEB) as { data?: Template } & object;
    expect(data).toBeDefined();
    const before = desk.entries;
    const edited = Buffer.from(`# mine\n${before['client.ini']}`).toString('base64');
    desk.cluster.set(SECRETS, WEB, {
      ...(secret as Parameters<typeof desk.cluster.set>[2] & object),
      data: { 'client.ini': edited },
    });
    await desk.settle();
    expect(desk.entries).toEqual(before);
    expect(desk.record?.sequence).toBe(1);
  });

  test.each(['Rotate', 'Wait'] as const)(
    'rotates once for each request, with onLoss %s too',
    async (onLoss) => {
      for (const [index, request] of ['r1', 'r2'].entries()) {
        desk.putPlain({ secret: sample({ onLoss }), rotation: planned(request) });
        // The second request is another pass over what the first one left.
        // oxlint-disable-next-line no-await-in-loop
        await desk.settle();
        expect(desk.record).toMatchObject({ sequence: index + 2, secret: { health: 'Intact' } });
        expect(desk.status?.lastHandledRotationRequestId).toBe(request);
        expect(desk.ready).toMatchObject({ status: 'True' });
        expect(desk.admits(fileValue(desk))).toBe(true);
      }
    },
  );

  test('rotates by age with onLoss Wait, and the old value overlaps', async () => {
    const spec = { secret: sample({ onLoss: 'Wait' }), rotation: aRotation({ maxAgeDays: 30 }) };
    desk.putPlain(spec);
    desk.clock.step(30 * DAY_MS);
    await desk.settle();
    expect(desk.record?.sequence).toBe(2);
    expect(desk.ready).toMatchObject({ status: 'True' });
    expect([fileValue(desk), value].map((each) => desk.admits(each))).toEqual([true, true]);
  });

  test('shows no old value that it did not show before, and makes no new one for that', async () => {
    const template = { file: 'now={{ .apiKey }}\nold={{ .previousApiKey }}\n' };
    const rotation = planned('r1');
    desk.putPlain({ secret: sample({ onLoss: 'Wait' }), rotation });
    await desk.settle();
    const next = fileValue(desk);
    desk.putPlain({ secret: templated(template, { onLoss: 'Wait' }), rotation });
    expect(await desk.pass()).toEqual(['WriteSecret', 'Confirm']);
    expect(desk.entries).toEqual({ file: `now=${next}\nold=\n` });
    expect(desk.ready).toMatchObject({ status: 'True' });
    expect(desk.admits(value)).toBe(true);
    desk.putPlain({ secret: templated(template), rotation: planned('r2') });
    await desk.settle();
    expect(desk.entries['file']).toMatch(new RegExp(`^now=.+\nold=${next}\n$`));
    expect(desk.record?.sequence).toBe(3);
  });

  test('ends a rotation that was cut off when its old value was taken out meanwhile', async () => {
    const template = { file: 'now={{ .apiKey }} old={{ .previousApiKey }}' };
    const secret = templated(template, { onLoss: 'Wait' });
    desk.putPlain({ secret, rotation: planned('r1') });
    desk.cluster.before = (verb) => {
      if (verb === 'replace')
        throw new KeywardError('Transient', { reason: 'Cut', message: 'cut' });
    };
    await expect(desk.pass()).rejects.toThrow('cut');
    desk.cluster.before = () => undefined;
    const { metadata } = desk.cluster.find(SECRETS, WEB)!;
    const bare = { metadata: { ...metadata, annotations: {} }, data: { file: 'eA==' } };
    desk.cluster.set(SECRETS, WEB, { apiVersion: 'v1', kind: 'Secret', ...bare });
    await desk.settle();
    expect(desk.record).toMatchObject({ sequence: 2, credentials: [{}, { state: 'Active' }] });
    expect(desk.entries['file']).toMatch(/^now=kw_.+ old=$/);
    expect(desk.ready).toMatchObject({ status: 'True' });
  });

  test('gets a new value when it is taken out of the file', async () => {
    const secret = desk.cluster.find(SECRETS, WEB)!;
    const data = { 'client.ini': Buffer.from('[api]\nkey = none\n').toString('base64') };
    desk.cluster.set(SECRETS, WEB, { apiVersion: 'v1', kind: 'Secret', ...secret, data } as never);
    await desk.settle();
    expect(desk.record?.sequence).toBe(2);
    expect(desk.admits(fileValue(desk))).toBe(true);
  });
});

test('An approved Routine reissue of a key with a template is published, once', async () => {
  const desk = new Desk();
  desk.store = aStore({ kind: 'KeyStore', reviewed: ['Issue', 'Change', 'Reissue'] });
  await desk.client();
  await desk.form(aSubmittedForm({ content: aRequest() }));
  const approve = () =>
    desk.changeForm((form) => countReview(form, aDecision('rob', { atMs: desk.clock.nowMs() })));
  await approve();
  desk.putKey({ secret: sample() });
  await desk.settle();
  const reissue = {
    requestId: 'again',
    reason: 'Routine',
    whileWaiting: 'KeepActive',
  } as const;
  await desk.changeForm((form) =>
    openRound(
      form,
      aRoundRequest({
        type: 'Reissue',
        content: aRequest({ reissue }),
        submittedMs: desk.clock.nowMs(),
      }),
    ),
  );
  await approve();
  await desk.settle();
  expect(desk.record?.sequence).toBe(2);
  expect(desk.ready).toMatchObject({ status: 'True' });
  expect(desk.admits(fileValue(desk))).toBe(true);
  expect((await desk.stored()).reissue).toBeUndefined();
  expect(desk.clock.nowMs()).toBeGreaterThan(FORM_AT_MS);
});

test('A template that shows one value of two needs no other', async () => {
  const template = { key: 'k={{ .primaryKey }}' };
  const desk = await issued(new Desk(), { format: 'Dual', secret: templated(template) });
  const before = desk.entries;
  desk.putPlain({ format: 'Dual', secret: templated(template, { labels: { team: 'sales' } }) });
  expect(await desk.pass()).toEqual(['WriteSecret', 'Confirm']);
  expect(desk.entries).toEqual(before);
});

describe('Whatever template the values stand in', () => {
  const FIELDS = {
    Opaque: ['apiKey'],
    Dual: ['apiKey', 'primaryKey', 'secondaryKey'],
    KeyPair: ['apiKey', 'apiSecret'],
  } as const;
  const OTHERS = ['keyId', 'type', 'provider', 'apiKey'];
  const OWN_LITERALS = ['', 'a', 'kw', '_', '"', '\n', ' = ', '열쇠', '$&', '{{ }}', 'kw_', '0'];
  // Around a value of unknown length there must be something that is neither letter nor digit.
  const FOREIGN_LITERALS = ['"', '\nkey = "', ' : ', '열쇠', '$&', '://', '&key=', '/x/'];

  /** Templates in which each of the fields is somewhere, maybe twice, and others beside them. */
  const aTemplate = (fields: readonly string[], literals: readonly string[]) => {
    const literal = fc.constantFrom(...literals);
    const named = fc.array(fc.constantFrom(...OTHERS, ...fields), { maxLength: 3 });
    const all = named.chain((more) =>
      fc.shuffledSubarray([...fields, ...more], FULL(fields, more)),
    );
    return fc
      .tuple(all, fc.infiniteStream(literal), fc.integer({ min: 1, max: 3 }))
      .map(([order, between, entries]): Template => {
        const texts = Array.from({ length: entries }, () => between.next().value ?? '');
        for (const [index, field] of order.entries()) {
          texts[index % entries] += `{{ .${field} }}${between.next().value ?? ''}`;
        }
        return Object.fromEntries(texts.map((text, index) => [`entry-${index}`, text]));
      });
  };
  const FULL = (fields: readonly string[], more: readonly string[]) => {
    const minLength = fields.length + more.length;
    return { minLength, maxLength: minLength };
  };

  /** What a key of the format shows beside that while an old credential overlaps, and which of it is old. */
  const PREVIOUS = {
    Opaque: { fields: ['previousApiKey'], old: 'previousApiKey', was: 'apiKey' },
    Dual: { fields: [], old: 'primaryKey', was: 'apiKey' },
    KeyPair: { fields: ['previousApiSecret'], old: 'previousApiSecret', was: 'apiSecret' },
  } as const;

  const KINDS: readonly (readonly [string, KeyFormat, () => Promise<Desk>, readonly string[]])[] = [
    ['of ours', 'Opaque', async () => new Desk(), OWN_LITERALS],
    ['of ours', 'Dual', async () => new Desk(), OWN_LITERALS],
    [
      'of ours',
      'KeyPair',
      async () => new Desk(undefined, { format: 'KeyPair', recovery: 'Sealed' }),
      OWN_LITERALS,
    ],
    ['of a vendor', 'Opaque', async () => new Desk('O'), FOREIGN_LITERALS],
    ['of a vendor', 'Dual', async () => new Desk('M'), FOREIGN_LITERALS],
    ['of a vendor', 'KeyPair', async () => new Desk('D'), FOREIGN_LITERALS],
    ['that were imported', 'Opaque', () => imported('Opaque'), FOREIGN_LITERALS],
    ['that were imported', 'Dual', () => imported('Dual'), FOREIGN_LITERALS],
  ];

  async function imported(format: KeyFormat): Promise<Desk> {
    const desk = new Desk();
    desk.putImport({ format });
    await desk.pass();
    expect(await desk.bring(foreignTexts(format))).toContain('imported');
    return desk;
  }

  /** The ledger keeps no value, so that only the Secret has them. */
  async function hashOnly(open: () => Promise<Desk>): Promise<Desk> {
    const desk = await open();
    const { capabilities } = desk.store;
    desk.store = { ...desk.store, capabilities: { ...capabilities, recoverable: false } };
    return desk;
  }

  test.each(KINDS)(
    'values %s in a key of format %s come out of it again',
    async (_whose, format, open, literals) => {
      const { fields, old, was } = PREVIOUS[format];
      const template = aTemplate([...FIELDS[format], ...fields], literals);
      const run = async (first: Template, second: Template): Promise<void> => {
        const desk = await hashOnly(open);
        await issued(desk, { format, secret: aSecretSpec({ type: 'Opaque' }) });
        const plain = desk.entries;
        const write = async (secret: ApiKeySecret, more: Partial<ApiKeySpec> = {}) => {
          desk.putPlain({ format, secret: { ...secret, onLoss: 'Wait' }, ...more });
          await desk.settle();
          expect(desk.ready).toMatchObject({ status: 'True' });
        };
        await write(templated(first));
        await write(templated(first, { labels: { team: 'sales' } }));
        await write(templated(second));
        await write(aSecretSpec({ type: 'Opaque' }));
        expect(desk.entries).toEqual(plain);
        await write(templated(first));
        await write(templated(first), { rotation: planned('r1') });
        await write(templated(second), { rotation: planned('r1') });
        await write(aSecretSpec({ type: 'Opaque' }), { rotation: planned('r1') });
        expect(desk.record?.sequence).toBe(format === 'Dual' ? 1 : 2);
        expect(desk.entries[old]).toBe(plain[was]);
        expect(desk.entries[was]).not.toBe(plain[was]);
      };
      await fc.assert(fc.asyncProperty(template, template, run), { numRuns: 8 });
    },
  );
});

describe('The texts that are tried for a value made elsewhere', () => {
  const VALUE = 'sk_live_51HxYzAbCdEfGhIjKlMnOp';
  const filling: Filling = (field) => (field === 'keyId' ? 'key:7' : undefined);
  const effort = () => ({ stepsLeft: STEPS_MAX });
  const guesses = (text: string, template: string): readonly string[] => {
    const entries = [{ text, parts: templateParts(template) }];
    const left = effort();
    const found: string[] = [];
    const all = foreignGuesses(entries, () => [filling]);
    for (const guess of affordable(all, left)) {
      // As for a key of two values, of which none is found.
      left.stepsLeft -= 2 * DIGEST_STEPS;
      found.push(guess);
    }
    return found;
  };
  /** Lines as configurations have them, of this many characters or more. */
  const config = (length: number): string => {
    let lines = '';
    for (let i = 0; lines.length < length; i += 1) lines += `server.option-${i} = "value ${i}"\n`;
    return lines;
  };

  test.each([500, 1_000, 2_000, 8_000])(
    'have it first where the template is as it was, behind %i characters',
    (length) => {
      const template = `${config(length)}{{ .keyId }}:{{ .apiKey }}\nagain {{ .apiKey }}\n`;
      const text = template.replace('{{ .keyId }}', 'key:7').replaceAll('{{ .apiKey }}', VALUE);
      expect(guesses(text, template)[1]).toBe(VALUE);
    },
  );

  test.each([600, 1_200, 1_800, 8_000])(
    'have it where the template was another, behind %i characters',
    (length) => {
      const text = `${config(length)}token = "${VALUE}"\n`;
      expect(guesses(text, '{"key":"{{ .apiKey }}"}')).toContain(VALUE);
    },
  );

  test('have both of two that stand side by side', () => {
    const found = guesses('keyONE45678two45678', 'key{{ .primaryKey }}{{ .secondaryKey }}');
    expect(found).toEqual(expect.arrayContaining(['ONE45678', 'two45678']));
  });

  test('have it where the template was another, and where the entry is none of ours', () => {
    const found = guesses('url: https://u:A/123456@host', '[api]\nk={{ .apiKey }}');
    expect(found).toContain('A/123456');
    expect(guesses('A/1', '')[0]).toBe('A/1');
  });

  test('are no more than can be tried, those that were looked at in vain among them', () => {
    let looked = 0;
    function* endless() {
      for (;;) {
        looked += 1;
        yield undefined;
      }
    }
    expect([...affordable(endless(), effort())]).toEqual([]);
    expect(looked).toBe(STEPS_MAX + 1);
  });
});
