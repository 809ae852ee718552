/**
 * The three books after a plan: what the ledger says, what etcd holds, what the gate would accept.
 * They must agree, whatever happened to the operator in between.
 */
import { systemClock } from '../../src/kernel/clock.ts';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { parseValue } from '../../src/keys/format.ts';
import { parseKeyring, type Keyring } from '../../src/keys/keyring.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { isLive, verdict } from '../../src/terms/verdict.ts';
import { readFileSync } from 'node:fs';
import type { Scenario } from './scenarios.ts';
import { readyOf, type Site } from './site.ts';

/** Which of the goals a violation breaks. */
export type Violation = {
  readonly kind:
    | 'NotConverged'
    | 'LostKey'
    | 'LiveOrphan'
    | 'ForeignChanged'
    | 'Resurrection'
    | 'Duplicate'
    | 'AuditBroken'
    | 'Leaked'
    | 'Leftover';
  readonly text: string;
};

/** Compares the books of a site whose operator has been stopped. Empty: all is well. */
export async function compareBooks(site: Site, scenario: Scenario): Promise<readonly Violation[]> {
  const ledger = await openLedgerReader(site.database);
  try {
    const keyring = parseKeyring(new Sensitive(readFileSync(site.masterKeyFile)));
    const books: Books = { site, scenario, ledger, keyring, records: await readRecords(ledger) };
    const parts = await Promise.all([
      scenario.endsNamespace === true ? [] : checkForeign(site),
      checkWorking(books),
      checkEnded(books),
      checkValues(books),
      checkAudit(ledger),
    ]);
    return parts.flat();
  } finally {
    await ledger.close();
  }
}

type Books = {
  readonly site: Site;
  readonly scenario: Scenario;
  readonly ledger: LedgerReader;
  readonly keyring: Keyring;
  readonly records: readonly KeyRecord[];
};

async function readRecords(ledger: LedgerReader): Promise<readonly KeyRecord[]> {
  return (await ledger.scan(1_000)).records;
}

async function checkForeign(site: Site): Promise<readonly Violation[]> {
  const changed = await site.changedBystanders();
  return changed.map((name) => ({ kind: 'ForeignChanged', text: `Secret ${name} was changed` }));
}

/** Ready keys have a Secret whose value works, and no more live credentials than the protocol allows. */
async function checkWorking(books: Books): Promise<readonly Violation[]> {
  const { site, scenario, records } = books;
  const found = scenario.working.map(async (name): Promise<readonly Violation[]> => {
    const key = await site.key(name);
    if (readyOf(key) !== 'Active') {
      return [{ kind: 'NotConverged', text: `ApiKey ${name} is ${readyOf(key)}` }];
    }
    const record = records.find(({ uid }) => uid === key?.metadata.uid);
    if (record === undefined) return [{ kind: 'LostKey', text: `the ledger lacks ${name}` }];
    const value = await valueIn(site, name);
    const isWorking = value !== undefined && accepts(books, record, value);
    const live = record.credentials.filter((c) => isLive(c, systemClock.nowMs()));
    return [
      ...(isWorking ? [] : [{ kind: 'LostKey', text: `the value of ${name} is refused` } as const]),
      ...(live.length === 1
        ? []
        : [{ kind: 'Duplicate', text: `${name} has ${live.length} live credentials` } as const]),
      ...(record.credentials.some((c) => c.slots.some((slot) => slot.sealed !== undefined))
        ? [{ kind: 'Leftover', text: `a sealed value of ${name} is still in the ledger` } as const]
        : []),
    ];
  });
  return (await Promise.all(found)).flat();
}

/** Whatever is not a working key of the end has nothing that lives. */
async function checkEnded({ site, scenario, records }: Books): Promise<readonly Violation[]> {
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
  const { site, scenario, ledger } = books;
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

/** Every value that ever left the operator. */
export function valuesEver(site: Site): ReadonlySet<string> {
  return new Set(site.proxy.secretBodies.flatMap((body) => valuesOf(dataOf(body))));
}

async function checkAudit(ledger: LedgerReader): Promise<readonly Violation[]> {
  const { brokenAt } = await ledger.verifyAudit();
  return brokenAt === undefined ? [] : [{ kind: 'AuditBroken', text: `at entry ${brokenAt}` }];
}

function accepts({ keyring }: Books, record: KeyRecord, value: string): boolean {
  const pepper = (version: number): Buffer => keyring.pepper(version);
  return verdict(record, value, { nowMs: systemClock.nowMs(), pepper }).type === 'Allowed';
}

async function valueIn(site: Site, name: string): Promise<string | undefined> {
  const text = (await site.secret(name))?.data?.['apiKey'];
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString();
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
