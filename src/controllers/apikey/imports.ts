/**
 * Values that a person brings into a store of ours, for an ApiKey that waits for them. From the commit
 * on gates accept them, and the next pass of the key writes them to its Secret.
 */
import { KeywardError } from '../../kernel/errors.ts';
import { Sensitive } from '../../kernel/sensitive.ts';
import { digestForeign, equalDigests } from '../../keys/digest.ts';
import { FOREIGN_TEXTS, kindOf, lookupOf, problemOf } from '../../keys/foreign.ts';
import { SLOTS } from '../../keys/mint.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../ledger/record.ts';
import { awaitsValues, takeImported } from '../../ledger/transitions.ts';
import { commit } from './commits.ts';
import type { Deps } from './deps.ts';
import { FOREIGN, sealSlot } from './material.ts';

/** What importing needs. */
export type ImportDeps = Pick<Deps, 'keyring' | 'entropy' | 'clock' | 'epoch'> & {
  readonly ledger: Pick<Deps['ledger'], 'findByKeyId' | 'commit'>;
};

/** What a person brings. */
export type Brought = {
  /** In the order of FOREIGN_TEXTS. */
  readonly texts: readonly Sensitive[];
  /** Any: what may be easily guessed is taken all the same, which the audit chain tells. */
  readonly strength: 'Strong' | 'Any';
};

/** New: the key waits for these. Held: it has them, or had them before they were replaced. */
type Judgement = {
  readonly type: 'New' | 'Held';
  /** Present with strength Any. */
  readonly isWeak: boolean;
};

/**
 * Looks whether the values can be this key's; writes nothing.
 * @throws KeywardError Terminal ValueCount, ValueMalformed, ValueOfKeyward, ValuesAlike, ValueWeak,
 * ValueKnown, NothingToImport
 */
export async function judgeImport(
  deps: Pick<ImportDeps, 'keyring'> & {
    readonly ledger: Pick<ImportDeps['ledger'], 'findByKeyId'>;
  },
  record: KeyRecord,
  brought: Brought,
): Promise<Judgement> {
  const texts = brought.texts.map((text) => text.revealText());
  const problem = problemOf(record.format, texts);
  const isWeak = problem?.reason === 'ValueWeak';
  if (problem !== undefined && !(isWeak && brought.strength === 'Any')) {
    const remedy = isWeak ? '; make a new key, or say --allow-weak' : '';
    throw terminal(problem.reason, problem.message + remedy);
  }
  const holders = await findHolders(deps, record, texts);
  if (holders.some((holder) => holder !== undefined && holder.uid !== record.uid)) throw known();
  if (record.credentials.some(awaitsValues)) {
    if (holders.some((holder) => holder !== undefined)) throw known();
    return { type: 'New', isWeak };
  }
  const isHeld = holders.every((holder) => holder !== undefined) && hasValues(deps, record, texts);
  if (isHeld) return { type: 'Held', isWeak };
  throw terminal('NothingToImport', nothingToImport(record));
}

/**
 * Takes the values over; one sentence for people. Repeatable: the same values again change nothing.
 * @throws KeywardError as `judgeImport`; Conflict when somebody else committed first
 */
export async function importValues(
  deps: ImportDeps,
  record: KeyRecord,
  brought: Brought & { readonly actor: string },
): Promise<string> {
  const { type, isWeak } = await judgeImport(deps, record, brought);
  const credential = record.credentials.find(awaitsValues);
  if (type === 'Held' || credential === undefined) {
    return `${named(record)}: imported before`;
  }
  const { sequence, keyId } = credential;
  const next = takeImported(record, {
    sequence,
    slots: sealAll(deps, record, credential, brought.texts),
    hint: hintOf(record, credential, brought.texts),
  });
  const { currentVersion } = deps.keyring;
  const texts = brought.texts.map((text) => text.revealText());
  await commit(deps, {
    record: next,
    expectedRevision: record.revision,
    audit: {
      action: 'KeyImported',
      actor: brought.actor,
      atMs: deps.clock.nowMs(),
      facts: { keyId, sequence, ...(isWeak ? { weak: true } : {}) },
    },
    imports: { sequence, lookups: lookupsOf(deps, record, texts, currentVersion) },
  });
  return `${named(record)}: imported`;
}

/** Whose each text is, under whichever master key it was imported. */
function findHolders(
  { ledger, keyring }: Parameters<typeof judgeImport>[0],
  record: KeyRecord,
  texts: readonly string[],
): Promise<readonly (KeyRecord | undefined)[]> {
  const byVersion = keyring.versions.map((version) =>
    lookupsOf({ keyring }, record, texts, version),
  );
  const ids = (byVersion[0] ?? []).map((_, at) => byVersion.map((lookups) => lookups[at] ?? ''));
  return Promise.all(
    ids.map(async (candidates) => {
      const found = await Promise.all(candidates.map((id) => ledger.findByKeyId(id)));
      return found.find((holder) => holder !== undefined);
    }),
  );
}

/** One for each value that is presented as it is, or the one of a pair's public half. */
function lookupsOf(
  { keyring }: Pick<ImportDeps, 'keyring'>,
  { format }: KeyRecord,
  texts: readonly string[],
  version: number,
): readonly string[] {
  const searched = format === 'KeyPair' ? texts.slice(0, 1) : texts;
  return searched.map((text, at) => {
    const kind = kindOf(FOREIGN_TEXTS[format][at] ?? 'apiKey', format);
    return lookupOf(keyring.pepper(version), kind, text);
  });
}

function sealAll(
  deps: ImportDeps,
  { format }: KeyRecord,
  { token, keyId }: CredentialRecord,
  texts: readonly Sensitive[],
): readonly SlotRecord[] {
  return SLOTS[format].map((name, at): SlotRecord => {
    const value = texts[FOREIGN_TEXTS[format].indexOf(name)] ?? new Sensitive('');
    const place = { token, keyId, slot: name, generation: 1 };
    return {
      name,
      role: at === 0 ? 'Active' : 'Standby',
      generation: 1,
      rotatedAtMs: deps.clock.nowMs(),
      ...sealSlot(deps, FOREIGN, place, value),
    };
  });
}

/** Of a value that others made no letter is shown: nobody knows which of them matter. */
function hintOf(
  { format }: KeyRecord,
  { keyId }: CredentialRecord,
  [first]: readonly Sensitive[],
): string {
  return format === 'KeyPair' && first !== undefined
    ? first.revealText()
    : `imported_${keyId.slice(0, 4)}...`;
}

/** What was replaced since cannot be compared any more, and is known to have been here. */
function hasValues(
  { keyring }: Pick<ImportDeps, 'keyring'>,
  { credentials, format }: KeyRecord,
  texts: readonly string[],
): boolean {
  const imported = credentials.find(({ origin }) => origin === 'Imported');
  return (imported?.slots ?? []).every(({ name, generation, digest, pepperVersion }) => {
    if (generation !== 1 || imported === undefined) return true;
    const value = texts[FOREIGN_TEXTS[format].indexOf(name)] ?? '';
    const pepper = keyring.pepper(pepperVersion);
    return equalDigests(digest, digestForeign({ pepper, keyId: imported.keyId, value }));
  });
}

function nothingToImport(record: KeyRecord): string {
  const { credentials } = record;
  if (credentials.some(({ origin, remote }) => origin === 'Imported' && remote !== undefined)) {
    return `${named(record)} is in a store at a vendor, which shows its values itself: name the key there with --store and --id`;
  }
  return `${named(record)} waits for no value; make a new one with annotation keyward.dev/import: pending`;
}

/** Whose it is is nobody's business here; `keyward identify -` tells who may know. */
function known(): KeywardError {
  return terminal('ValueKnown', 'one of the values belongs, or belonged, to another key here');
}

function named({ namespace, name }: KeyRecord): string {
  return `ApiKey ${namespace}/${name}`;
}

function terminal(reason: string, message: string): KeywardError {
  return new KeywardError('Terminal', { reason, message });
}
