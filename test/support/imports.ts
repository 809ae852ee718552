/** Keys that wait for values, and values as other systems make them. */
import { randomBytes } from 'node:crypto';
import { importValues, type Brought } from '../../src/controllers/apikey/imports.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { Sensitive } from '../../src/kernel/sensitive.ts';
import { randomBase62 } from '../../src/keys/base62.ts';
import type { KeyFormat } from '../../src/keys/format.ts';
import type { Keyring } from '../../src/keys/keyring.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import type { KeyRecord } from '../../src/ledger/record.ts';
import { issueKey } from './gate.keys.ts';

/** The record of an ApiKey with the annotation, after its first pass. */
export function aWaitingKey(uid: string, changes: Partial<KeyRecord> = {}): KeyRecord {
  const { record } = issueKey(uid, changes);
  const credentials = record.credentials.map((each) => ({
    ...each,
    state: 'Unknown' as const,
    origin: 'Imported' as const,
    hint: '',
    slots: [],
  }));
  return { ...record, credentials };
}

/** Values for a key of this format: of Visit Seoul, NAVER, SOLAPI. */
export function foreignTexts(format: KeyFormat): readonly string[] {
  const some = (length: number): string => randomBase62(randomBytes, length);
  if (format === 'Opaque') return [`${some(30)}==/+`];
  if (format === 'Dual') return [some(40), some(40)];
  return [`NCS${some(13).toUpperCase()}`, some(32).toUpperCase()];
}

/** What a person would bring. */
export function bring(
  texts: readonly string[],
  strength: Brought['strength'] = 'Strong',
): Brought & { readonly actor: string } {
  return { texts: texts.map((each) => new Sensitive(each)), strength, actor: 'alice' };
}

/** Imports into a real ledger. */
export function importInto(
  { ledger, keyring, epoch }: { ledger: Ledger; keyring: Keyring; epoch: number },
  record: KeyRecord,
  texts: readonly string[],
): Promise<string> {
  const deps = {
    ledger,
    keyring,
    entropy: randomBytes,
    clock: systemClock,
    epoch: () => epoch,
  };
  return importValues(deps, record, bring(texts));
}
