import { describe, expect, test } from 'vitest';
import {
  renderEntries,
  secretAnnotations,
  secretLayout,
  shapeOf,
  slotKey,
  unknownTemplateFields,
  type LayoutInput,
  type SecretLayout,
} from '../../../../src/controllers/apikey/secret.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import {
  aCredential,
  aDualCredential,
  aKey,
  anOpenCredential,
  aRecord,
  aSecret,
  aSecretSpec,
  aSlot,
  aSpec,
  NOW_MS,
  SEALED,
} from '../../../support/world.ts';

const HOUR_MS = 3_600_000;

function layoutOf(
  record: KeyRecord,
  secret?: Parameters<typeof aSecretSpec>[0],
  change: Partial<LayoutInput> = {},
): SecretLayout {
  const spec = aSpec(secret === undefined ? {} : { secret: aSecretSpec(secret) });
  const layout = secretLayout({
    key: aKey({ spec }),
    record,
    provider: 'keyward',
    overlapMs: HOUR_MS,
    nowMs: NOW_MS,
    ...change,
  });
  if (layout === undefined) throw new Error('there is no layout');
  return layout;
}

const METADATA = { labels: { team: 'a' }, annotations: { b: 'c' }, ownership: 'Orphan' } as const;
const names = (layout: SecretLayout): string[] => [...layout.entries.keys()].toSorted();
const values = new Map([
  [slotKey(1, 'apiKey'), 'one'],
  [slotKey(2, 'apiKey'), 'two'],
  [slotKey(1, 'primaryKey'), 'p'],
  [slotKey(1, 'secondaryKey'), 's'],
  [slotKey(1, 'apiSecret'), 'old secret'],
  [slotKey(2, 'apiSecret'), 'secret'],
]);

const overlapping = aRecord({
  sequence: 2,
  credentials: [
    aCredential({ state: 'Retiring', retireAtMs: NOW_MS + HOUR_MS }),
    aCredential({ sequence: 2 }),
  ],
});
const pair = (sequence: number, change: Partial<Parameters<typeof aCredential>[0]> = {}) =>
  aCredential({
    sequence,
    hint: `public-${sequence}`,
    slots: [aSlot({ name: 'apiSecret' })],
    ...change,
  });

describe('the entries', () => {
  test('of an Opaque key are its value, its public name, type and provider', () => {
    expect(renderEntries(layoutOf(aRecord()), values)).toEqual({
      apiKey: 'one',
      keyId: 'keyId-1',
      type: 'api-key',
      provider: 'keyward',
    });
  });

  test('of a Dual key are both values, and apiKey is the one to use now', () => {
    const record = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
    expect(renderEntries(layoutOf(record), values)).toMatchObject({
      primaryKey: 'p',
      secondaryKey: 's',
      apiKey: 'p',
    });
  });

  test('of a Dual key point at the fresh standby as soon as it is written', () => {
    const [primary, secondary] = aDualCredential().slots;
    const next = aDualCredential({
      state: 'Sealed',
      slots: [primary!, { ...secondary!, role: 'Next', sealed: SEALED }],
    });
    const record = aRecord({ format: 'Dual', credentials: [next] });
    expect(renderEntries(layoutOf(record), values)).toMatchObject({ apiKey: 's' });
  });

  test('of a KeyPair are its public half and its secret', () => {
    const record = aRecord({ format: 'KeyPair', sequence: 2, credentials: [pair(2)] });
    expect(renderEntries(layoutOf(record), values)).toMatchObject({
      apiKey: 'public-2',
      apiSecret: 'secret',
    });
  });

  test('show the previous value during the overlap, and only then', () => {
    expect(renderEntries(layoutOf(overlapping), values)).toMatchObject({
      apiKey: 'two',
      previousApiKey: 'one',
    });
    const after = layoutOf(overlapping, undefined, { nowMs: NOW_MS + HOUR_MS });
    expect(names(after)).not.toContain('previousApiKey');
  });

  test('show both halves of a previous pair', () => {
    const record = aRecord({
      format: 'KeyPair',
      sequence: 2,
      credentials: [pair(1, { state: 'Retiring', retireAtMs: NOW_MS + 1 }), pair(2)],
    });
    expect(renderEntries(layoutOf(record), values)).toMatchObject({
      previousApiKey: 'public-1',
      previousApiSecret: 'old secret',
    });
  });

  test.each([
    ['that nobody can read any more', aCredential({ valueLost: true }), HOUR_MS],
    ['that ends as soon as the new one is written', aCredential(), 0],
  ])('do not show a previous value %s', (_why, previous, overlapMs) => {
    const record = aRecord({
      sequence: 2,
      credentials: [previous, anOpenCredential({ sequence: 2 })],
    });
    expect(names(layoutOf(record, undefined, { overlapMs }))).not.toContain('previousApiKey');
  });

  test('are there as a whole or not at all', () => {
    expect(renderEntries(layoutOf(aRecord()), new Map())).toBeUndefined();
  });

  test('do not exist for a key without a live credential', () => {
    const record = aRecord({ credentials: [aCredential({ state: 'Disabled' })] });
    const input = { key: aKey(), record, provider: 'p', overlapMs: 0, nowMs: NOW_MS };
    expect(secretLayout(input)).toBeUndefined();
  });
});

describe('the layout', () => {
  test.each([
    ['with a prefix', 'APP', 'APP_API_KEY'],
    ['with a prefix that ends in an underscore', 'APP_', 'APP_API_KEY'],
    ['without a prefix', undefined, 'API_KEY'],
  ])('Env %s writes names as environment variables', (_why, envPrefix, name) => {
    const secret = envPrefix === undefined ? {} : { envPrefix };
    expect(names(layoutOf(aRecord(), { layout: 'Env', ...secret }))).toContain(name);
  });

  test('Template fills fields into texts of any shape, and nothing else is there', () => {
    const template = { 'config.ini': 'key={{ .apiKey }}\nid={{.keyId}}\n' };
    const layout = layoutOf(aRecord(), { layout: 'Template', template });
    expect(renderEntries(layout, values)).toEqual({ 'config.ini': 'key=one\nid=keyId-1\n' });
  });

  test('names the fields of a template that do not exist, each once', () => {
    const template = { a: '{{ .apiKey }} {{ .pass }}', b: '{{ .pass }} {{ .user }} {{ nothing }}' };
    expect(unknownTemplateFields(template)).toEqual(['pass', 'user']);
  });

  test("keeps the user's labels and sets ours above them", () => {
    const labels = { team: 'a', 'app.kubernetes.io/managed-by': 'somebody' };
    expect(layoutOf(aRecord(), { labels }).labels).toEqual({
      team: 'a',
      'app.kubernetes.io/managed-by': 'keyward',
      'keyward.dev/api-key': 'web',
    });
  });

  test('labels by UID where the name is too long for a label', () => {
    const input = { record: aRecord(), provider: 'p', overlapMs: 0, nowMs: NOW_MS };
    const key = aKey({ ref: { namespace: 'team', name: 'n'.repeat(64) } });
    expect(secretLayout({ ...input, key })?.labels['keyward.dev/api-key']).toBe('uid-1');
  });

  test('is owned by the ApiKey, or by nobody where the Secret shall outlive it', () => {
    expect(layoutOf(aRecord()).owner).toMatchObject({ kind: 'ApiKey', uid: 'uid-1' });
    expect(layoutOf(aRecord(), { ownership: 'Orphan' }).owner).toBeUndefined();
  });

  test.each([
    ['the one the ledger knows', aRecord({ secret: aSecret({ name: 'known' }) }), 'known'],
    ['the one the spec wants', withoutSecret(), 'wanted'],
  ])('names %s', (_why, record, name) => {
    expect(layoutOf(record, { name: 'wanted' }).name).toBe(name);
  });

  test('adds fingerprint and MAC to the annotations', () => {
    const annotations = secretAnnotations(layoutOf(aRecord(), { annotations: { a: 'b' } }), {
      fingerprint: 'f',
      mac: 'm',
    });
    expect(annotations).toEqual({ a: 'b', 'keyward.dev/fingerprint': 'f', 'keyward.dev/mac': 'm' });
  });
});

describe('the shape', () => {
  const shape = shapeOf(layoutOf(aRecord()));

  test('is the same for the same layout', () => {
    expect(shapeOf(layoutOf(aRecord({ revision: 9 })))).toBe(shape);
  });

  test.each([
    ['another layout', layoutOf(aRecord(), { layout: 'Env' })],
    ['another label', layoutOf(aRecord(), { labels: { a: 'b' } })],
    ['another owner', layoutOf(aRecord(), { ownership: 'Orphan' })],
    ['another credential', layoutOf(overlapping)],
    [
      'another generation of a slot',
      layoutOf(aRecord({ credentials: [aCredential({ slots: [aSlot({ generation: 2 })] })] })),
    ],
  ])('differs for %s', (_why, other) => {
    expect(shapeOf(other)).not.toBe(shape);
  });

  const dual = aRecord({ format: 'Dual', credentials: [aDualCredential()] });
  const pairs = aRecord({ format: 'KeyPair', credentials: [pair(1)] });
  const template = { token: '{{ .apiKey }}', file: 'id={{.keyId}}' };

  test.each([
    ['Binding', aRecord(), undefined, 'R9PApbSpOcJwTu0nfaxwXavn46jAOkayJ-lIKyZSmO4'],
    [
      'Binding in an overlap',
      overlapping,
      undefined,
      'YtyjSAVRC99RnPfTGhl_ffBKxh1niOya92wPP1y__as',
    ],
    ['Binding of two values', dual, undefined, '8NX5v9ieVmafXHmFl0Yc0oOHFAJ8UVNO4j69e_7brl4'],
    ['Binding of a pair', pairs, undefined, 'RoGffkyKvXiKdeMl3pVtq46fNJL6wTb4Oxl_iobqox0'],
    [
      'Env',
      aRecord(),
      { layout: 'Env', envPrefix: 'APP' },
      'EJSt97HFcBD9G8M9GTOJOkgNJvNR7FXmQPbDzhGixKQ',
    ],
    [
      'Template',
      aRecord(),
      { layout: 'Template', template },
      '6iCy0aOZaDvzMlnZX5QEGyrNWs_M8326eE9OmCtQciU',
    ],
    [
      'Template in an overlap',
      overlapping,
      { layout: 'Template', template },
      'UDsODMk5xkPR6rZ2HQn3agfITFSZEFEufEA-NzmecLM',
    ],
    [
      'Template of two values',
      dual,
      { layout: 'Template', template },
      'rg1u-1msHmJpV1uB9Irmd7bbFqWuYP-oZ0AeDsVlEWc',
    ],
    [
      'Template with metadata',
      aRecord(),
      { layout: 'Template', template, ...METADATA },
      'MiydPIod3QjIeP6gBb3PCudrduFzv-2f3LKnq17oF64',
    ],
  ] as const)('of %s is the one that Secrets in clusters have', (_what, record, secret, golden) => {
    expect(shapeOf(layoutOf(record, secret))).toBe(golden);
  });
});

function withoutSecret(): KeyRecord {
  const { secret: _, ...record } = aRecord();
  return record;
}
