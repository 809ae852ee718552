/**
 * The three books after a plan: what the ledger says, what etcd holds, what the gate or the vendor
 * would accept. They must agree, whatever happened to the operator in between.
 */
import { systemClock } from '../../src/kernel/clock.ts';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { parsePair, parseValue } from '../../src/keys/format.ts';
import { parseKeyring, type Keyring } from '../../src/keys/keyring.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { isLive, verdict, type Presented } from '../../src/terms/verdict.ts';
import { readFileSync } from 'node:fs';
import { checkForms } from './formbooks.ts';
import { readyOf } from './ready.ts';
import { allRecords } from './records.ts';
import type { Site } from './site.ts';
import { checkVendor, isAmbiguous } from './vendorbooks.ts';

/** Which of the goals a violation breaks. */
export type Violation = {
  readonly kind:
    | 'NotConverged'
    | 'LostKey'
    | 'LiveOrphan'
    | 'WrongAdoption'
    | 'ForeignChanged'
    | 'Resurrection'
    | 'Duplicate'
    | 'AuditBroken'
    | 'Leaked'
    | 'Leftover'
    | 'Unapproved';
  readonly text: string;
};

/** What the comparison says. No violations: all is well. */
export type Comparison = {
  readonly violations: readonly Violation[];
  /** A person has to decide. */
  readonly isAmbiguous: boolean;
};

/** Compares the books of a site whose operator has been stopped. */
export async function compareBooks(site: Site): Promise<Comparison> {
  const { scenario } = site;
  const ledger = await openLedgerReader(site.database);
  try {
    const keyring = parseKeyring(new Sensitive(readFileSync(site.masterKeyFile)));
    const records = await allRecords(ledger);
    const books: Books = { site, ledger, keyring, records };
    const parts = await Promise.all([
      scenario.endsNamespace === true ? [] : checkForeign(site),
      checkWorking(books),
      checkEnded(books),
      site.vendor === undefined ? checkValues(books) : [],
      checkVendor(site, records),
      checkAudit(ledger),
      checkForms(site, ledger, records),
    ]);
    return { violations: parts.flat(), isAmbiguous: isAmbiguous(records) };
  } finally {
    await ledger.close();
  }
}

type Books = {
  readonly site: Site;
  readonly ledger: LedgerReader;
  readonly keyring: Keyring;
  readonly records: readonly KeyRecord[];
};

async function checkForeign(site: Site): Promise<readonly Violation[]> {
  const changed = await site.bystanders.changed();
  return changed.map((name) => ({ kind: 'ForeignChanged', text: `Secret ${name} was changed` }));
}

/** Keys that shall work have a Secret whose value does, and no more live credentials than that one. */
async function checkWorking(books: Books): Promise<readonly Violation[]> {
  const found = books.site.scenario.working.map((name) => checkKey(books, name));
  return (await Promise.all(found)).flat();
}

async function checkKey(books: Books, name: string): Promise<readonly Violation[]> {
  const { site, records } = books;
  const { scenario } = site;
  const key = await site.key(name);
  const shown = readyOf(key);
  if (scenario.mayBeAmbiguous === true && shown === 'OwnershipAmbiguous') return [];
  if (shown !== (scenario.shown ?? 'Active')) {
    return [{ kind: 'NotConverged', text: `ApiKey ${name} is ${shown}` }];
  }
  const record = records.find(({ uid }) => uid === key?.metadata.uid);
  if (record === undefined) return [{ kind: 'LostKey', text: `the ledger lacks ${name}` }];
  const live = record.credentials.filter((c) => isLive(c, systemClock.nowMs()));
  const isSealed = record.credentials.some((c) =>
    c.slots.some(({ sealed }) => sealed !== undefined),
  );
  const isWorking = site.vendor !== undefined || (await isAccepted(books, record, name));
  return [
    ...(isWorking === (scenario.shown === undefined || site.vendor !== undefined)
      ? []
      : [{ kind: 'LostKey', text: `accepting the value of ${name} is ${isWorking}` } as const]),
    ...(live.length === 1
      ? []
      : [{ kind: 'Duplicate', text: `${name} has ${live.length} live credentials` } as const]),
    ...(isSealed && scenario.recovery === undefined && site.vendor?.kind.isReadable !== true
      ? [{ kind: 'Leftover', text: `a sealed value of ${name} is still in the ledger` } as const]
      : []),
  ];
}

/** The gate's answer to what is in the Secret. */
async function isAccepted(books: Books, record: KeyRecord, name: string): Promise<boolean> {
  const data = (await books.site.secret(name))?.data ?? {};
  const text = (entry: string): string => Buffer.from(data[entry] ?? '', 'base64').toString();
  const presented =
    record.format === 'KeyPair' ? parsePair(text('apiKey'), text('apiSecret')) : text('apiKey');
  return presented !== undefined && accepts(books, record, presented);
}

/** Whatever is not a working key of the end has nothing that lives. */
async function checkEnded({ site, records }: Books): Promise<readonly Violation[]> {
  const { scenario } = site;
  const keys = await Promise.all(scenario.working.map((name) => site.key(name)));
  const uids = new Set(keys.map((key) => key?.metadata.uid));
  const revoked = await site.key();
  return records
    .filter(({ uid }) => !uids.has(uid))
    .flatMap((record): readonly Violation[] => {
      const isLeft = record.uid !== revoked?.metadata.uid;
      return [
        ...(record.credentials.length > 0
          ? [{ kind: 'LiveOrphan', text: `${record.name} has live credentials` } as const]
          : []),
        ...(isLeft && record.phase !== 'Ended'
          ? [
              {
                kind: 'Leftover',
                text: `${record.name} is ${record.phase} without an object`,
              } as const,
            ]
          : []),
      ];
    });
}

/** Of every value that ever left the operator, only those in today's Secrets are accepted. */
async function checkValues(books: Books): Promise<readonly Violation[]> {
  const { site, ledger } = books;
  const { scenario } = site;
  const current = new Set<string>();
  for (const name of scenario.working) {
    // In turn: there are one or two.
    // oxlint-disable-next-line no-await-in-loop
    for (const value of valuesOf((await site.secret(name))?.data ?? {})) current.add(value);
  }
  const ever = valuesEver(site);
  const violations: Violation[] = [];
  for (const value of ever) {
    const keyId = parseValue(value)?.keyId ?? '';
    // oxlint-disable-next-line no-await-in-loop
    const record = await ledger.findByKeyId(keyId);
    if (record !== undefined && accepts(books, record, value) && !current.has(value)) {
      violations.push({ kind: 'Resurrection', text: `a former value of ${keyId} is accepted` });
    }
  }
  return violations;
}

/** Every complete value of Keyward's own making that ever left the operator. */
function valuesEver(site: Site): ReadonlySet<string> {
  return new Set(site.proxy.secretBodies.flatMap((body) => valuesOf(dataOf(body))));
}

/** Entries of a Secret that are secret; the apiKey of a pair is not. */
const SECRET_ENTRY =
  /^(apiKey|apiSecret|primaryKey|secondaryKey|previousApiKey|previousApiSecret)$/;

/** Every value that ever left the operator, and what signs for the account at the vendor. */
export function everythingSecret(site: Site): ReadonlySet<string> {
  const written = site.proxy.secretBodies.map(dataOf).flatMap((data) => {
    const isPair = data['apiSecret'] !== undefined;
    return Object.entries(data)
      .filter(([name]) => SECRET_ENTRY.test(name) && !(isPair && name.endsWith('Key')))
      .map(([, text]) => Buffer.from(text, 'base64').toString());
  });
  const signing = Object.entries(site.vendor?.credentials ?? {})
    .filter(([name]) => name !== 'accessKey' && name !== 'userId')
    .map(([, text]) => text);
  return new Set([...written, ...signing]);
}

async function checkAudit(ledger: LedgerReader): Promise<readonly Violation[]> {
  const { brokenAt } = await ledger.verifyAudit();
  return brokenAt === undefined ? [] : [{ kind: 'AuditBroken', text: `at entry ${brokenAt}` }];
}

function accepts({ keyring }: Books, record: KeyRecord, value: Presented): boolean {
  const pepper = (version: number): Buffer => keyring.pepper(version);
  return verdict(record, value, { nowMs: systemClock.nowMs(), pepper }).type === 'Allowed';
}

/** The entries that are keys; others are names and constants. */
function valuesOf(data: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(data)
    .map((text) => Buffer.from(text, 'base64').toString())
    .filter((text) => parseValue(text) !== undefined);
}

function dataOf(body: string): Readonly<Record<string, string>> {
  // The operator's own Secret write, as the proxy recorded it.
  return (JSON.parse(body) as { data?: Record<string, string> }).data ?? {};
}
