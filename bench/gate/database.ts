/**
 * Databases as gates meet them: so many keys, each with an end, one site and one product by grant. Made
 * through the ledger's own port, once per size and schema, and kept in the cache: a million keys take
 * some minutes.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../control-plane/binaries.ts';
import { systemEntropy } from '../../src/kernel/entropy.ts';
import { digestSecret } from '../../src/keys/digest.ts';
import { secretBytes } from '../../src/keys/format.ts';
import { createMasterKeyText, type Keyring, parseKeyring } from '../../src/keys/keyring.ts';
import { mintCredential } from '../../src/keys/mint.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { MIGRATIONS } from '../../src/ledger/sqlite/migrate.ts';
import type { Quota } from '../../src/terms/terms.ts';

/** The site that every key is registered for. */
export const ORIGIN = 'https://www.myservice.example';
/** A path of the one product. */
export const PATH = '/v1/places/42';

const EPOCH = 1;
const CLUSTER = 'bench';
const DAY_MS = 86_400_000;
const AT_ONCE = 2_000;
/** Presented in turn; more than any cache of a processor holds. */
export const SAMPLE = 100_000;

/** Where a database is and what opens it. */
export type KeyDatabase = {
  readonly url: string;
  readonly masterKeyFile: string;
  /** One value a line. */
  readonly valuesFile: string;
};

/** A key that was put into a database. */
export type MadeKey = { readonly record: KeyRecord; readonly value: string };

/** The database of that size; `report` hears of a long wait. */
export async function prepareDatabase(
  keys: number,
  report: (line: string) => void,
): Promise<KeyDatabase> {
  const folder = join(
    cacheFolder(process.env, homedir()),
    'bench',
    `gate-${keys}-schema-${MIGRATIONS.length}`,
  );
  if (!existsSync(folder)) await make(folder, keys, report);
  return {
    url: `sqlite://${join(folder, 'keyward.db')}`,
    masterKeyFile: join(folder, 'master-key'),
    valuesFile: join(folder, 'values'),
  };
}

async function make(folder: string, keys: number, report: (line: string) => void): Promise<void> {
  report(`making a database of ${keys} keys`);
  const draft = `${folder}-${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const masterKey = createMasterKeyText(systemEntropy);
  await writeFile(join(draft, 'master-key'), masterKey.revealText(), { mode: 0o600 });
  const writer = await KeyWriter.open(
    `sqlite://${join(draft, 'keyward.db')}`,
    parseKeyring(masterKey),
  );
  const every = Math.ceil(keys / SAMPLE);
  const values: string[] = [];
  for (let made = 0; made < keys; made += AT_ONCE) {
    const batch = await writer.add(Math.min(AT_ONCE, keys - made));
    values.push(...batch.filter((_, at) => (made + at) % every === 0).map(({ value }) => value));
    if (made > 0 && made % 100_000 === 0) report(`${made} keys are there`);
  }
  await writer.close();
  await writeFile(join(draft, 'values'), `${values.join('\n')}\n`, { mode: 0o600 });
  await rename(draft, folder);
}

/** Puts keys into a database of its own, as the only operator of it. */
export class KeyWriter {
  readonly ledger: Ledger;
  readonly #keyring: Keyring;
  #count = 0;

  private constructor(ledger: Ledger, keyring: Keyring) {
    this.ledger = ledger;
    this.#keyring = keyring;
  }

  /** Makes the database with one product, `places`, below /v1/places. */
  static async open(url: string, keyring: Keyring): Promise<KeyWriter> {
    const ledger = await openLedger({ url, missing: 'Create' });
    await ledger.adoptCluster(CLUSTER);
    await ledger.openEpoch(EPOCH, 'bench');
    await ledger.rememberVersion(1, keyring.checkValue(1));
    const product = {
      clusterId: CLUSTER,
      uid: randomUUID(),
      namespace: '',
      name: 'places',
      revision: 0,
      phase: 'Live',
      state: 'Published',
      access: 'ByGrant',
      match: [{ hosts: [], pathPrefix: '/v1/places', methods: [] }],
    } as const;
    await ledger.commitDocuments({
      changes: [{ kind: 'Product', document: product, expectedRevision: 0 }],
      epoch: EPOCH,
      audit: { action: 'ProductChanged', actor: 'bench', atMs: Date.now(), facts: {} },
    });
    return new KeyWriter(ledger, keyring);
  }

  /** Issues so many keys at once. */
  async add(count: number, quota?: Quota): Promise<readonly MadeKey[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        this.#count += 1;
        const { record, value } = makeKey(this.#keyring, this.#count, quota);
        return { record: await this.put(record), value };
      }),
    );
  }

  /** Commits the record on top of its own revision; answers with it as it is then. */
  async put(record: KeyRecord): Promise<KeyRecord> {
    const result = await this.ledger.commit({
      record,
      expectedRevision: record.revision,
      epoch: EPOCH,
      audit: { action: 'KeyIssued', actor: 'bench', atMs: Date.now(), facts: {} },
    });
    if (result.type !== 'Committed') throw new Error(`a commit ended as ${result.type}`);
    return result.record;
  }

  close(): Promise<void> {
    return this.ledger.close();
  }
}

function makeKey(keyring: Keyring, number: number, quota: Quota | undefined): MadeKey {
  const minted = mintCredential(systemEntropy, { prefix: 'kw', format: 'Opaque' });
  const value = minted.values.apiKey;
  if (value === undefined) throw new Error('an Opaque key has a value');
  const { keyId, hint } = minted;
  const digest = digestSecret({ pepper: keyring.pepper(1), keyId, secret: secretBytes(value) });
  const nowMs = Date.now();
  const record: KeyRecord = {
    clusterId: CLUSTER,
    uid: randomUUID(),
    namespace: `team-${number % 100}`,
    name: `key-${number}`,
    revision: 0,
    phase: 'Live',
    state: 'Active',
    store: { kind: 'ClusterKeyStore', name: 'default', uid: 'store', incarnation: 1 },
    format: 'Opaque',
    terms: {
      timeZone: 'UTC',
      notBeforeMs: nowMs - DAY_MS,
      endMs: nowMs + 3_650 * DAY_MS,
      originPolicy: {
        allowed: [{ host: new URL(ORIGIN).host }],
        missing: 'Deny',
        unknownPath: 'Allow',
      },
      cidrs: [],
      productRefs: ['places'],
      ...(quota === undefined ? {} : { quota }),
    },
    firstIssuedMs: nowMs,
    sequence: 1,
    grant: { formUid: randomUUID(), round: 1 },
    credentials: [
      {
        token: randomUUID(),
        sequence: 1,
        attempt: 1,
        keyId,
        hint,
        state: 'Active',
        origin: 'Issued',
        createdAtMs: nowMs,
        slots: [
          {
            name: 'apiKey',
            role: 'Active',
            generation: 1,
            digest,
            pepperVersion: 1,
            rotatedAtMs: nowMs,
          },
        ],
      },
    ],
  };
  return { record, value: value.revealText() };
}

/** Up to `count` values of a database, from its beginning. */
export async function readValues(file: string, count: number): Promise<readonly string[]> {
  return (await readFile(file, 'utf8')).split('\n', count);
}
