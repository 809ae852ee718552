/** Where keys live in a plan: which database is behind the operator, and which store. */
import { AwkwardFake } from '../../fakes/awkward/fake.ts';
import { BASE_PATH, NaverFake, OUR_TENANT } from '../../fakes/naver/fake.ts';
import { SolapiFake } from '../../fakes/solapi/fake.ts';
import type { FakeVendor } from '../../fakes/vendor.ts';

/** What scenarios may ask of a side. */
export type Trait =
  /** Two values of which both work. */
  | 'Dual'
  /** A public and a secret half. */
  | 'KeyPair'
  /** A value can be replaced in its credential, at once. */
  | 'InPlace'
  /** The store keeps names. */
  | 'Names'
  /** The store keeps no marks: what a lost answer made is told by difference. */
  | 'Unmarked'
  /** The scenario is run on PostgreSQL, whatever the side's other ones are, by two operators. */
  | 'SharedDatabase'
  /** Keys are applied for: all of its scenarios, and those in which a decision meets the vendor. */
  | 'Forms'
  | 'FormsAtVendor';

/** A vendor that a side is connected to. */
export type VendorKind = {
  readonly open: () => FakeVendor<unknown>;
  /** Type of the KeyStore, and the member of its spec with the settings. */
  readonly type: string;
  readonly settings: (address: string, secretName: string) => Readonly<Record<string, object>>;
  /** Values can be read later, so the ledger may keep them and a lost Secret is written again. */
  readonly isReadable: boolean;
  /** Name of a stranger's credential; absent where the vendor keeps none. */
  readonly strangersName?: string;
};

export type Side = {
  readonly name: string;
  readonly database: 'SQLite' | 'PostgreSQL';
  readonly vendor?: VendorKind;
  readonly traits: ReadonlySet<Trait>;
  /** Plans in `npm test`. */
  readonly pruned: number;
};

/** Vendors' lists are that far behind, and settled after a second. */
const SETTLED = { settleSeconds: 1, deleteGraceSeconds: 0 };
/** How far lists are behind: within the settle time, and long enough to be met. */
export const LIST_LAG_MS = 300;

const BUILTIN: readonly Trait[] = ['Dual', 'KeyPair', 'InPlace', 'Forms', 'FormsAtVendor'];

/** All sides. */
export const SIDES: readonly Side[] = [
  { name: 'sqlite', database: 'SQLite', traits: new Set(BUILTIN), pruned: 155 },
  {
    name: 'postgres',
    database: 'PostgreSQL',
    traits: new Set([...BUILTIN, 'SharedDatabase'] as const),
    pruned: 20,
  },
  {
    name: 'naver',
    database: 'SQLite',
    traits: new Set(['Dual', 'Names', 'SharedDatabase', 'FormsAtVendor']),
    pruned: 20,
    vendor: {
      open: () => new NaverFake(),
      type: 'Naver',
      settings: (address, name) => ({
        naver: {
          ...SETTLED,
          endpoint: `${address}${BASE_PATH}`,
          credentialsSecretRef: { name },
          tenantId: OUR_TENANT,
        },
      }),
      isReadable: true,
      strangersName: 'somebody else',
    },
  },
  {
    name: 'solapi',
    database: 'SQLite',
    traits: new Set(['KeyPair', 'InPlace', 'Unmarked']),
    pruned: 14,
    vendor: {
      open: () => new SolapiFake(),
      type: 'Solapi',
      settings: (endpoint, name) => ({
        solapi: { ...SETTLED, endpoint, credentialsSecretRef: { name } },
      }),
      isReadable: true,
    },
  },
  {
    name: 'class-o',
    database: 'SQLite',
    traits: new Set(['InPlace', 'Names']),
    pruned: 14,
    vendor: {
      open: () => new AwkwardFake(),
      type: 'Awkward',
      settings: (endpoint, name) => ({
        awkward: { endpoint, credentialsSecretRef: { name }, settleSeconds: 1 },
      }),
      isReadable: false,
      strangersName: 'somebody else',
    },
  },
];

/** @throws naming the sides there are */
export function sideOf(name: string): Side {
  const found = SIDES.find((side) => side.name === name);
  if (found !== undefined) return found;
  const names = SIDES.map((side) => side.name).join(', ');
  throw new Error(`there is no side "${name}"; the sides are ${names}`);
}
