/** Whether anything was done twice: what ledger, Secrets, workloads and journal say after a run. */
import { WORKLOADS } from '../../src/api/names.ts';
import type { Keyring } from '../../src/keys/keyring.ts';
import { parseValue } from '../../src/keys/format.ts';
import type { LedgerReader } from '../../src/ledger/verbs.ts';
import { isLive, verdict } from '../../src/terms/verdict.ts';
import type { Loose, TestApi } from '../support/operator.api.ts';
import { brokenEpochs, lateWrites, writesAfterRelease, type Journal } from './journal.ts';

/** A key of a run, and how it must be at the end. */
export type Expected = {
  readonly name: string;
  readonly uid: string;
  readonly isDeleted: boolean;
  /** Rotations that were asked for. */
  readonly rotations: number;
  /** Credentials that live at the end. */
  readonly live: number;
  /** The Deployment that each rotation restarts once; absent: none. */
  readonly workload?: string;
};

/** What everything is compared with. */
export type Books = {
  readonly api: TestApi;
  readonly namespace: string;
  readonly ledger: LedgerReader;
  readonly keyring: Keyring;
};

/** One text for each thing that is wrong with a key. */
export async function checkKey(books: Books, key: Expected): Promise<readonly string[]> {
  const { api, ledger, namespace } = books;
  const lines = await ledger.auditLines({ limit: 1_000, after: 0, uid: key.uid });
  const times = (action: string): number => lines.filter((line) => line.action === action).length;
  const counted = [
    expectCount(`${key.name} was issued`, times('KeyIssued'), 1),
    expectCount(`${key.name} was rotated`, times('KeyRotated'), key.rotations),
    expectCount(`${key.name} was ended`, times('KeyEnded'), key.isDeleted ? 1 : 0),
  ].filter((text) => text !== undefined);
  const { record } = await ledger.load(key.uid, { namespace: '', name: '' });
  if (key.isDeleted) {
    return record === undefined || record.phase === 'Ended'
      ? counted
      : [...counted, `${key.name} is ${record.phase}`];
  }
  if (record === undefined) return [...counted, `${key.name} is not in the ledger`];
  const live = record.credentials.filter((credential) => isLive(credential, Date.now()));
  const secret = await api.get({ ...SECRET }, namespace, key.name);
  return [
    ...counted,
    ...[
      expectCount(`${key.name} has the sequence`, record.sequence, 1 + key.rotations),
      expectCount(`${key.name} has live credentials`, live.length, key.live),
      accepts(books, record, secret) ? undefined : `the value of ${key.name} does not work`,
      await workloadTrouble(books, key),
    ].filter((text) => text !== undefined),
  ];
}

const SECRET = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };

async function workloadTrouble(
  { api, namespace }: Books,
  { name, workload, rotations }: Expected,
): Promise<string | undefined> {
  if (workload === undefined) return undefined;
  const found = await api.get(WORKLOADS.Deployment, namespace, workload);
  return expectCount(
    `${name} has its workload in generation`,
    found?.metadata.generation ?? 0,
    1 + rotations,
  );
}

function accepts(
  { keyring }: Books,
  record: Parameters<typeof verdict>[0],
  secret: Loose | undefined,
): boolean {
  const value = Buffer.from(secret?.data?.['apiKey'] ?? '', 'base64').toString();
  const parts = parseValue(value);
  if (parts === undefined) return false;
  const context = { nowMs: Date.now(), pepper: (version: number) => keyring.pepper(version) };
  return verdict(record, parts, context).type === 'Allowed';
}

function expectCount(what: string, seen: number, wanted: number): string | undefined {
  return seen === wanted ? undefined : `${what}: ${seen} instead of ${wanted}`;
}

/** What the journal proves about everything since a write; `landed` says how late writes ended. */
export function checkJournal(
  journal: Journal,
  since: number,
): {
  readonly troubles: readonly string[];
  readonly begunLate: number;
  readonly delivered: number;
  readonly landed: number;
} {
  const { begun, delivered } = lateWrites(journal, since);
  const isLanded = ({ code = 0 }: { readonly code?: number }): boolean => code > 0 && code < 300;
  return {
    troubles: [
      ...begun
        .filter(isLanded)
        .map(({ sender, method, url }) => `${sender} did ${method} ${url} while another one led`),
      ...brokenEpochs(journal),
      ...writesAfterRelease(journal, since),
      ...repeatedValues(journal),
    ],
    begunLate: begun.length,
    delivered: delivered.length,
    landed: delivered.filter(isLanded).length,
  };
}

/** A value may be written again, as it is; of one key, no older one may follow a newer one. */
function repeatedValues({ writes }: Journal): readonly string[] {
  const seen = new Map<string, string[]>();
  const landed = writes
    .filter(
      ({ url, method, code = 0 }) =>
        /\/secrets(\/|\?|$)/.test(url) && method !== 'DELETE' && code > 0 && code < 300,
    )
    .toSorted((a, b) => (a.answeredMs ?? 0) - (b.answeredMs ?? 0));
  return landed.flatMap(({ body, sender }) => {
    // Written by the operator.
    const { metadata, data = {} } = JSON.parse(body) as {
      readonly metadata: {
        readonly name: string;
        readonly ownerReferences?: readonly { readonly uid: string }[];
      };
      readonly data?: Readonly<Record<string, string>>;
    };
    const of = metadata.ownerReferences?.[0]?.uid ?? metadata.name;
    const values = seen.get(of) ?? [];
    const value = data['apiKey'] ?? '';
    const at = values.indexOf(value);
    if (at === -1) seen.set(of, [...values, value]);
    return at === -1 || at === values.length - 1
      ? []
      : [`${sender} put an older value of ${metadata.name} back`];
  });
}
