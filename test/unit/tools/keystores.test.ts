import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  keyStoreCrds,
  readDriverSchema,
  shippedDriverFolders,
} from '../../../tools/generate/keystores.ts';
import { awkwardCrds } from '../../support/awkward/crds.ts';

/** Values of spec.type that each of the CRDs allows. */
function typesOf(crds: ReadonlyMap<string, string>): readonly unknown[] {
  return [...crds.values()].map((text) => {
    const { spec } = parse(text);
    return spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.type.enum;
  });
}

test('the schema of the example driver of docs/drivers.md fits into both KeyStore kinds', () => {
  const example = join(import.meta.dirname, '../../../docs/examples/tokenshop');
  const types = typesOf(keyStoreCrds([...shippedDriverFolders(), example].map(readDriverSchema)));
  expect(types).toHaveLength(2);
  for (const type of types) expect(type).toEqual(expect.arrayContaining(['Builtin', 'Tokenshop']));
});

test('the awkward drivers of the tests fit beside the shipped ones', () => {
  for (const type of typesOf(awkwardCrds())) {
    expect(type).toEqual(expect.arrayContaining(['Builtin', 'Awkward', 'AwkwardI', 'AwkwardX']));
  }
});
