/** What a Secret can make the operator do, when a tenant writes it and its template. */
import { describe, expect, test } from 'vitest';
import type { Deps } from '../../../../src/controllers/apikey/deps.ts';
import type { Secret } from '../../../../src/controllers/apikey/proof.ts';
import {
  collectValues,
  DIGEST_STEPS,
  STEPS_MAX,
} from '../../../../src/controllers/apikey/recalling.ts';
import { secretLayout } from '../../../../src/controllers/apikey/secret.ts';
import type { KeyRecord } from '../../../../src/ledger/record.ts';
import { aKeyring } from '../../../support/gate.keys.ts';
import {
  aCredential,
  aDualCredential,
  aKey,
  aRecord,
  aSecretSpec,
  aSlot,
  aSpec,
  aWorld,
  NOW_MS,
} from '../../../support/world.ts';

type Texts = Readonly<Record<string, string>>;

const ID = 'aaaaaaaaaaaaaaaa';
const PAIR = [1, 2].map((sequence) =>
  aCredential({ sequence, keyId: ID, hint: `kw_${ID}`, slots: [aSlot({ name: 'apiSecret' })] }),
);
const DUAL = [1, 2].map((sequence) => ({ ...aDualCredential(), sequence, keyId: ID }));
const PLAIN = [1, 2].map((sequence) => aCredential({ sequence, keyId: ID }));

/** How many digests are made until all guesses at values that are nowhere are spent. */
function digestsOf(record: KeyRecord, template: Texts, texts: Texts, maker: string): number {
  let digests = 0;
  const keyring = aKeyring();
  const pepper = (version: number): Buffer => {
    digests += 1;
    return keyring.pepper(version);
  };
  const digest = (): Buffer => Buffer.alloc(32, 1);
  const stores = { of: () => ({ handle: { type: maker, digest } }) };
  const deps = { keyring: { ...keyring, pepper }, stores } as unknown as Deps;
  const key = aKey({
    spec: aSpec({ secret: aSecretSpec({ type: 'Opaque', layout: 'Template', template }) }),
  });
  const input = { key, record, provider: 'p', overlapMs: 1, nowMs: NOW_MS };
  const layout = secretLayout(input);
  if (layout === undefined) throw new Error('there is no layout');
  const data = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  const secret = { metadata: {}, data } as unknown as Secret;
  const values = collectValues(deps, aWorld({ key, record }), layout, secret);
  expect(values.size).toBe(0);
  return digests;
}

const many = (text: (index: number) => string, count = 32): Texts =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`e${index}`, text(index)]));
const filled = (piece: string, length: number): string =>
  piece.repeat(Math.ceil(length / piece.length)).slice(0, length);

const OLD_PLACES = Array.from({ length: 76 }, (_, index) => 'a'.repeat(60 + index)).join(
  '{{.type}}',
);
const FIELDS =
  '{{.apiKey}}{{.primaryKey}}{{.secondaryKey}}{{.apiSecret}}{{.previousApiKey}}{{.previousApiSecret}}';

describe('A Secret in which no value is', () => {
  const TEMPLATES: readonly (readonly [string, Texts])[] = [
    ['literals of many lengths', many(() => `${FIELDS}${OLD_PLACES}`.slice(0, 8_192))],
    ['nothing but placeholders', many(() => filled(FIELDS, 8_192))],
    ['nothing but names of ids', many(() => `${FIELDS}${filled('{{.keyId}}', 8_092)}`)],
    ['one letter between', many(() => `a${FIELDS}a`)],
  ];
  const TEXTS: readonly (readonly [string, Texts])[] = [
    ['one letter', many(() => 'a'.repeat(24_000))],
    ['nothing but signs', many(() => '='.repeat(24_000))],
    ['a sign in turn', many(() => filled('aaaaaaa=', 24_000))],
    ['the keyId', many(() => filled(`_${ID}`, 24_000))],
    ['one long text', { e0: filled('a.', 786_000) }],
    ['many short texts', many((index) => `v${index}`, 20_000)],
  ];
  const KEYS: readonly (readonly [string, KeyRecord, string])[] = [
    ['Dual', aRecord({ format: 'Dual', sequence: 2, credentials: DUAL }), 'Remote'],
    ['KeyPair', aRecord({ format: 'KeyPair', sequence: 2, credentials: PAIR }), 'Remote'],
    ['KeyPair', aRecord({ format: 'KeyPair', sequence: 2, credentials: PAIR }), 'Local'],
    ['Opaque', aRecord({ format: 'Opaque', sequence: 2, credentials: PLAIN }), 'Local'],
  ];
  const CASES = KEYS.flatMap(([format, record, maker]) =>
    TEMPLATES.flatMap(([what, template]) =>
      TEXTS.map(([of, texts]) => ({ format, record, maker, what, template, of, texts })),
    ),
  );

  test.each(CASES)(
    'costs what any may cost: $format, $maker, template of $what, texts of $of',
    ({ record, template, texts, maker }) => {
      const most = STEPS_MAX / DIGEST_STEPS + 4;
      expect(digestsOf(record, template, texts, maker)).toBeLessThanOrEqual(most);
    },
  );
});
