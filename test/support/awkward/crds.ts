/** The KeyStore kinds with the awkward drivers beside the shipped ones. */
import {
  keyStoreCrds,
  readDriverSchema,
  shippedDriverFolders,
} from '../../../tools/generate/keystores.ts';

const { schema } = readDriverSchema(import.meta.dirname);

/** Types `Awkward` (class O), `AwkwardI` and `AwkwardX`; text of each CRD by its file name in crds/. */
export function awkwardCrds(): ReadonlyMap<string, string> {
  return keyStoreCrds([
    ...shippedDriverFolders().map(readDriverSchema),
    ...['', 'I', 'X'].map((kind) => ({ type: `Awkward${kind}`, member: `awkward${kind}`, schema })),
  ]);
}
