/** Many keys, a line each: every one is tried, and what is refused holds up no other. */
import { classify, KeywardError } from '../kernel/errors.ts';
import { FOREIGN_TEXTS, lookupOf } from '../keys/foreign.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { KeyRecord } from '../ledger/record.ts';
import { readLine, type ImportLine } from './importlines.ts';
import type { ImportSite } from './importsite.ts';
import type { ImportWish } from './importwish.ts';
import { findByName } from './resolving.ts';

/** What became of one line. `of` is absent where the line names no key that there is. */
export type Told = { readonly line: number; readonly of?: string; readonly text: string };

/** What the lines have in common. */
type ManyOptions = Pick<ImportWish, 'strength' | 'actor'> & {
  readonly tell: (told: Told) => void;
};

type Place = Pick<ImportSite, 'ledger' | 'take'> & {
  readonly keyring: Pick<Keyring, 'pepper' | 'currentVersion'>;
};

/** So many are asked for at a time: an operator looks once a second. */
const ABREAST = 64;
/** Names as Kubernetes takes them. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Reasons that are about one line; everything else ends the whole. */
const OF_LINE: ReadonlySet<string> = new Set([
  'LineInvalid',
  'LineRepeated',
  'KeyNotFound',
  'FormatMismatch',
  'ValueCount',
  'ValueMalformed',
  'ValueOfKeyward',
  'ValuesAlike',
  'ValueWeak',
  'ValueKnown',
  'NothingToImport',
  'Stale',
]);

/**
 * Imports all lines; answers how many were refused. Blank lines are passed over.
 * @throws KeywardError what is about no single line; those told before it are done
 */
export async function importLines(
  place: Place,
  lines: AsyncIterable<string>,
  options: ManyOptions,
): Promise<number> {
  const many = new Many(place, options);
  let some: { readonly line: number; readonly text: string }[] = [];
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() !== '') some.push({ line, text });
    if (some.length < ABREAST) continue;
    await many.take(some);
    some = [];
  }
  await many.take(some);
  return many.refused;
}

class Many {
  readonly #place: Place;
  readonly #options: ManyOptions;
  /** Of this input: keys, and lookups of values. A dry run has no ledger that remembers them. */
  readonly #seen = new Set<string>();
  refused = 0;

  constructor(place: Place, options: ManyOptions) {
    this.#place = place;
    this.#options = options;
  }

  /** Told in order. */
  async take(lines: readonly { readonly line: number; readonly text: string }[]): Promise<void> {
    const results = await Promise.allSettled(lines.map(({ text }) => this.#takeOne(text)));
    for (const [index, result] of results.entries()) {
      const line = lines[index]?.line ?? 0;
      if (result.status === 'fulfilled') this.#options.tell({ line, ...result.value });
      else throw result.reason;
    }
  }

  async #takeOne(text: string): Promise<Omit<Told, 'line'>> {
    let record: KeyRecord | undefined;
    try {
      const line = readLine(text);
      this.#once(line);
      record = await this.#find(line);
      this.#expectFormat(record, line);
      const { strength, actor } = this.#options;
      const answer = await this.#place.take(record, { texts: line.texts, strength, actor });
      return { of: nameOf(record), text: answer.slice(answer.indexOf(': ') + 2) };
    } catch (thrown) {
      const { reason, message } = classify(thrown);
      if (!OF_LINE.has(reason)) throw thrown;
      this.refused += 1;
      return { ...(record && { of: nameOf(record) }), text: `refused (${reason}): ${message}` };
    }
  }

  /** Two lines about the same key or value would be a matter of luck. */
  #once({ namespace, name, texts, members }: ImportLine): void {
    if (!NAME.test(namespace) || !NAME.test(name)) {
      throw refusal('LineInvalid', 'namespace or name is none that Kubernetes has');
    }
    const { pepper, currentVersion } = this.#place.keyring;
    const searched = members.includes('apiSecret') ? texts.slice(0, 1) : texts;
    const kind = members.includes('apiSecret') ? 'Name' : 'Value';
    const ids = searched.map((text) => lookupOf(pepper(currentVersion), kind, text.revealText()));
    for (const each of [`${namespace}/${name}`, ...new Set(ids)]) {
      if (this.#seen.has(each)) {
        throw refusal('LineRepeated', 'an earlier line has the same ApiKey or the same value');
      }
      this.#seen.add(each);
    }
  }

  /** The message must not repeat what stands where a name should. */
  async #find({ namespace, name }: ImportLine): Promise<KeyRecord> {
    try {
      return await findByName(this.#place.ledger, { namespace, name });
    } catch (thrown) {
      if (classify(thrown).reason !== 'KeyNotFound') throw thrown;
      throw refusal(
        'KeyNotFound',
        'the ledger has no such ApiKey; see its status, if there is one',
      );
    }
  }

  #expectFormat({ format }: KeyRecord, { members }: ImportLine): void {
    const wanted: readonly string[] = FOREIGN_TEXTS[format];
    const isValue = format === 'Opaque' && members[0] === 'value';
    if (isValue || members.join() === wanted.join()) return;
    throw refusal('FormatMismatch', `the key is of format ${format}: ${wanted.join(' and ')}`);
  }
}

function nameOf({ namespace, name }: KeyRecord): string {
  return `${namespace}/${name}`;
}

function refusal(reason: string, message: string): KeywardError {
  return new KeywardError('Terminal', { reason, message });
}
