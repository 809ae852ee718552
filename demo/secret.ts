/** A Secret's entries, shown without their values. */
import { hint, parseValue } from '../src/keys/format.ts';
import { Sensitive } from '../src/kernel/sensitive.ts';
import { tail } from './mask.ts';
import type { Stage } from './stage.ts';

/** Entries that hold no key material. */
const PUBLIC = new Set(['keyId', 'type', 'provider']);
/** Secret and checksum; no other text of ours is that long without a break. */
const SECRET_PART = /(?<![0-9A-Za-z])[0-9A-Za-z]{49}(?![0-9A-Za-z])/g;

/** What a Secret held when it was read. */
export class SecretEntries {
  readonly name: string;
  readonly uid: string;
  readonly #entries: ReadonlyMap<string, Sensitive>;

  constructor(name: string, uid: string, entries: ReadonlyMap<string, Sensitive>) {
    this.name = name;
    this.uid = uid;
    this.#entries = entries;
  }

  /** Reads the Secret. @throws Unmet with kubectl's words when there is none */
  static async read(stage: Pick<Stage, 'ask'>, name: string): Promise<SecretEntries> {
    const text = await stage.ask(['get', 'secret', name, '-o', 'json']);
    const { metadata, data } = JSON.parse(text) as {
      readonly metadata: { readonly uid: string };
      readonly data?: Readonly<Record<string, string>>;
    };
    const entries = Object.entries(data ?? {}).map(
      ([entry, base64]) => [entry, new Sensitive(Buffer.from(base64, 'base64'))] as const,
    );
    return new SecretEntries(name, metadata.uid, new Map(entries));
  }

  /** Names of the entries, in order. */
  get names(): readonly string[] {
    return [...this.#entries.keys()].toSorted();
  }

  /** The value of an entry; a missing one is a mistake of the step. */
  value(entry: string): Sensitive {
    const found = this.#entries.get(entry);
    if (found === undefined) throw new Error(`Secret ${this.name} has no entry ${entry}`);
    return found;
  }

  /** Whether an entry has the same value as in the other Secret. */
  isSame(entry: string, other: SecretEntries, otherEntry = entry): boolean {
    return this.value(entry).reveal().equals(other.value(otherEntry).reveal());
  }

  /** The secret part of every value in any entry, for the search at the end. */
  secretParts(): readonly Sensitive[] {
    return [...this.#entries]
      .filter(([entry]) => !PUBLIC.has(entry))
      .flatMap(([, value]) => value.revealText().match(SECRET_PART) ?? [])
      .map((text) => new Sensitive(text));
  }

  /** Name, length and masked value of each entry, in columns. */
  table(): string {
    const width = Math.max(...this.names.map((name) => name.length));
    const row = (name: string): string => {
      const value = this.value(name);
      const length = String(value.reveal().length).padStart(3);
      return `${name.padEnd(width)}  ${length} bytes  ${masked(name, value)}`;
    };
    return this.names.map(row).join('\n');
  }
}

/** Reads a Secret and shows its entries. */
export async function showSecret(stage: Stage, name: string): Promise<SecretEntries> {
  const entries = await stage.secret(name);
  stage.screen.say(`Secret ${name}:`);
  stage.screen.block(entries.table());
  return entries;
}

/** Prefix and four characters at both ends for a whole value, as in status; nothing of the rest. */
function masked(name: string, value: Sensitive): string {
  if (PUBLIC.has(name)) return value.revealText();
  const parts = parseValue(value.revealText());
  return parts === undefined ? tail(value.revealText()) : hint(parts, value);
}
