/**
 * Looks at all books between a kill and the next start: also then no key may exist that nobody approved.
 * What is seen is kept until the end of the plan.
 */
import { SECRETS } from '../../src/api/names.ts';
import { openLedgerReader } from '../../src/ledger/open.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';
import type { Loose } from '../support/operator.api.ts';
import { approvedForms } from './formchain.ts';
import { allLines, allRecords } from './records.ts';
import type { Site } from './site.ts';
import type { Violation } from './books.ts';

/** Label of the Secrets that the operator writes. */
const LABEL = 'keyward.dev/api-key';

/** See the file comment. */
export class Witness {
  readonly #site: Site;
  readonly #seen: Violation[] = [];
  #looks = 0;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Everything that must not have been. */
  get violations(): readonly Violation[] {
    return this.#seen;
  }

  /** How often it looked. */
  get looks(): number {
    return this.#looks;
  }

  /** Looks, where keys have to be applied for. Never rejects. */
  async look(): Promise<void> {
    if (this.#site.scenario.applications === undefined) return;
    this.#looks += 1;
    try {
      this.#seen.push(...(await unapproved(this.#site)));
    } catch (error) {
      this.#seen.push({ kind: 'NotConverged', text: `the witness saw nothing: ${String(error)}` });
    }
  }
}

/** Effects are read before causes: an operator that goes on meanwhile cannot make a lie of them. */
async function unapproved(site: Site): Promise<readonly Violation[]> {
  const secrets = (await site.api.list(SECRETS, site.namespace)).filter(isOurs);
  const there = site.vendor?.ours.length ?? 0;
  const ledger = await openLedgerReader(site.database);
  try {
    return await compare(ledger, { secrets, there });
  } finally {
    await ledger.close();
  }
}

async function compare(
  ledger: LedgerReader,
  { secrets, there }: { readonly secrets: readonly Loose[]; readonly there: number },
): Promise<readonly Violation[]> {
  const owners = secrets.map(({ metadata }) => metadata.ownerReferences?.[0]?.uid ?? '');
  const owning = await Promise.all(
    owners.map((uid) => ledger.load(uid, { namespace: '', name: '' })),
  );
  const records = await allRecords(ledger);
  const approved = approvedForms(await allLines(ledger));
  const isApproved = (uid: string | undefined): boolean => uid !== undefined && approved.has(uid);
  return [
    ...records
      .filter(({ grant }) => !isApproved(grant?.formUid))
      .map(({ name }) => unapprovedKey(`the ledger has key ${name}`)),
    ...owning
      .filter(({ record }) => !isApproved(record?.grant?.formUid))
      .map(() => unapprovedKey('there is a Secret')),
    ...(there > 0 && approved.size === 0 ? [unapprovedKey('the vendor has a credential')] : []),
  ];
}

function isOurs({ metadata }: Loose): boolean {
  const hasOwner = metadata.ownerReferences?.some(({ kind }) => kind === 'ApiKey') === true;
  return metadata.labels?.[LABEL] !== undefined && hasOwner;
}

function unapprovedKey(what: string): Violation {
  return { kind: 'Unapproved', text: `${what} that nobody approved` };
}
