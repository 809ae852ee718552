/**
 * The gate's decision without its process: looks the presented value up in the ledger, read-only,
 * and asks the same pure function that the gate will ask.
 */
import { readFile } from 'node:fs/promises';
import { Sensitive } from '../src/kernel/sensitive.ts';
import { parsePair, parseValue, type ValueParts } from '../src/keys/format.ts';
import { parseKeyring, type Keyring } from '../src/keys/keyring.ts';
import { openLedgerReader } from '../src/ledger/open.ts';
import { verdict, type Verdict, type VerdictContext } from '../src/terms/verdict.ts';
import type { Installation } from './program.ts';

type Reader = Awaited<ReturnType<typeof openLedgerReader>>;

/** What a caller brings beside the value. */
export type Request = Pick<VerdictContext, 'origin' | 'address' | 'productRef' | 'quotaRemaining'>;

/** Answers as the gate would. */
export class Gate {
  readonly #reader: Reader;
  readonly #keyring: Keyring;

  constructor(reader: Reader, keyring: Keyring) {
    this.#reader = reader;
    this.#keyring = keyring;
  }

  /** The verdict about a value, or about `apiKey apiSecret` of a pair, at this instant. */
  async answer(value: Sensitive, request: Request = {}): Promise<Verdict> {
    const parts = partsOf(value);
    const record = parts && (await this.#reader.findByKeyId(parts.keyId));
    return verdict(record, parts ?? value.revealText(), {
      ...request,
      nowMs: Date.now(),
      pepper: (version) => this.#keyring.pepper(version),
    });
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

/** Opens the ledger beside its operator. */
export async function openGate(installation: Installation): Promise<Gate> {
  const file = new Sensitive(await readFile(installation.masterKeyFile));
  const keyring = parseKeyring(file);
  file.erase();
  return new Gate(await openLedgerReader(installation.database), keyring);
}

/** The answer in words: `accepted`, or `refused (KeyRevoked)`. */
export function inWords(answer: Verdict): string {
  return answer.type === 'Allowed' ? 'accepted' : `refused (${answer.reason})`;
}

function partsOf(value: Sensitive): ValueParts | undefined {
  const [first = '', second] = value.revealText().split(' ');
  return second === undefined ? parseValue(first) : parsePair(first, second);
}
