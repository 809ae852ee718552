/** What differs between the vendors, as far as steps need to know. */
import type { SlotName } from '../../src/keys/mint.ts';

/** One vendor. */
export type Dialect = {
  /** Folder below fakes/ and samples/, and name of the store. */
  readonly name: 'naver' | 'solapi';
  readonly type: 'Naver' | 'Solapi';
  readonly title: string;
  /** Where its interface begins. */
  readonly basePath: string;
  /** Name of the ApiKey in samples/; its Secret is called `<key>-api-key`. */
  readonly key: string;
  /** Settings of the store beside endpoint and credentials. */
  readonly settings: object;
  /** Columns of its values. */
  readonly slots: readonly SlotName[];
  /** The entry of the Secret that is secret and in use. */
  readonly inUse: string;
  /** The entry of the credentials Secret that must not be shown. */
  readonly signingEntry: string;
};

/** Choices of `npm run demo -- VENDOR`. */
export const DIALECTS: Readonly<Record<Dialect['name'], Dialect>> = {
  naver: {
    name: 'naver',
    type: 'Naver',
    title: 'NAVER Cloud API Gateway',
    basePath: '/api/v1',
    key: 'maps',
    settings: { settleSeconds: 1 },
    slots: ['primaryKey', 'secondaryKey'],
    inUse: 'apiKey',
    signingEntry: 'secretKey',
  },
  solapi: {
    name: 'solapi',
    type: 'Solapi',
    title: 'SOLAPI',
    basePath: '',
    key: 'messages',
    settings: { settleSeconds: 1, deleteGraceSeconds: 2 },
    slots: ['apiSecret'],
    inUse: 'apiSecret',
    signingEntry: 'signingSecret',
  },
};

/** True for a word that names a vendor. */
export function isVendorName(word: string): word is Dialect['name'] {
  return Object.hasOwn(DIALECTS, word);
}
