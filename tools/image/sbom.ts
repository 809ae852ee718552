/**
 * The image's parts list (CycloneDX 1.6, JSON) for scanners and auditors: what is in it, in which version,
 * under which licence. Nothing in it depends on when or where it was made. Pure.
 */
import { createHash } from 'node:crypto';
import type { Image } from './image.ts';

/** What it is told beside the image itself. */
export type Inside = {
  /** What is compiled into Node, by name, as in process.versions. */
  readonly nodeVersions: Readonly<Record<string, string | undefined>>;
};

/** A part as CycloneDX has it. */
type Component = {
  readonly type: string;
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly [field: string]: unknown;
};

/** Numbers of interfaces and not versions of parts. */
const NO_PARTS: ReadonlySet<string> = new Set(['node', 'modules', 'napi', 'unicode']);

/** The document as it is written, with a line end. */
export function sbomText(image: Image, inside: Inside): string {
  const program = programOf(image);
  const node = nodeOf(image, inside);
  const debian = image.debian.map((each) => debianOf(each, image));
  const npm = image.npm.map(npmOf);
  const container = containerOf(image);
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(image.id)}`,
    version: 1,
    metadata: { timestamp: new Date(image.facts.createdMs).toISOString(), component: container },
    components: [program, node, ...debian, ...npm],
    dependencies: [
      dependency(container, [program, node]),
      dependency(program, [node, ...npm]),
      dependency(node, debian),
      ...[...debian, ...npm].map((each) => dependency(each, [])),
    ],
  };
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

function containerOf({ id, facts, version }: Image): Component {
  return {
    type: 'container',
    'bom-ref': 'image',
    name: 'keyward',
    version,
    properties: [
      { name: 'keyward:image:id', value: `sha256:${id}` },
      { name: 'keyward:image:architecture', value: facts.architecture },
    ],
  };
}

function programOf({ version, layers }: Image): Component {
  const layer = layers.at(-1);
  return {
    type: 'application',
    'bom-ref': `keyward@${version}`,
    name: 'keyward',
    version,
    description: 'the bundle; the checksum is that of its layer',
    hashes: layer === undefined ? [] : [{ alg: 'SHA-256', content: layer.sha256 }],
    licenses: licenses('Apache-2.0'),
    purl: `pkg:generic/keyward@${version}`,
  };
}

function nodeOf({ node }: Image, { nodeVersions }: Inside): Component {
  const { packageName, version, content } = node;
  const parts = Object.entries(nodeVersions).flatMap(([name, part]) =>
    part === undefined || part === '' || NO_PARTS.has(name) ? [] : [partOf(name, part)],
  );
  return {
    type: 'platform',
    'bom-ref': `node@${version}`,
    name: 'node',
    version,
    description: 'the binary as published; the checksum is that of the file in the image',
    hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(content).digest('hex') }],
    licenses: licenses('MIT'),
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:npm/${packageName}@${version}`,
    // Node knows what it was built with only where it runs.
    ...(nodeVersions['node'] === version ? { components: parts } : {}),
  };
}

function partOf(name: string, version: string): Component {
  return {
    type: 'library',
    'bom-ref': `node/${name}@${version}`,
    name,
    version,
    purl: `pkg:generic/${name}@${encodeURIComponent(version)}`,
  };
}

function debianOf(each: Image['debian'][number], { facts, distribution }: Image): Component {
  const { name, version, licence, sha256 } = each;
  const vendor = distribution.slice(0, distribution.indexOf('-'));
  const path = `${encoded(name)}@${encoded(version)}`;
  return {
    type: 'library',
    'bom-ref': `deb/${name}@${version}`,
    name,
    version,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: licenses(licence),
    purl: `pkg:deb/${vendor}/${path}?arch=${facts.architecture}&distro=${distribution}`,
  };
}

function npmOf({ name, version, licence, sha512 }: Image['npm'][number]): Component {
  const at = name.indexOf('/');
  const scope = at === -1 ? {} : { group: name.slice(0, at) };
  return {
    type: 'library',
    'bom-ref': `npm/${name}@${version}`,
    ...scope,
    name: name.slice(at + 1),
    version,
    hashes: [{ alg: 'SHA-512', content: sha512 }],
    licenses: licenses(licence),
    purl: `pkg:npm/${name.split('/').map(encoded).join('/')}@${encoded(version)}`,
  };
}

function encoded(text: string): string {
  return encodeURIComponent(text);
}

/** One licence has an id; several, or one with an exception, are an expression. */
function licenses(spdx: string): readonly object[] {
  return spdx.includes(' ') ? [{ expression: spdx }] : [{ license: { id: spdx } }];
}

function dependency(of: Component, on: readonly Component[]): object {
  return { ref: of['bom-ref'], dependsOn: on.map((each) => each['bom-ref']) };
}

/** Version 8: bits of our own making, here those of the image's ID. */
function uuidOf(hex: string): string {
  const [a, b, c, d, e] = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return [a, b, c, d, e].join('-');
}
