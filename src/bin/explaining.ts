/** Composition of `keyward explain`; loads nothing that speaks to a server. */
import type { Flags } from '../config/layers.ts';
import { allMeanings, meaningsOfWord, meaningsText, similarReasons } from '../cli/explain.ts';
import { table } from '../cli/output.ts';
import { visible } from '../cli/visible.ts';
import { KeywardError } from '../kernel/errors.ts';
import { outputForm, printValue } from './printing.ts';

/** `keyward explain [REASON]`; without one it lists them all. */
export async function runExplain(flags: Flags, reason: string | undefined): Promise<void> {
  const form = outputForm(flags);
  const meanings = reason === undefined ? allMeanings() : meaningsOfWord(reason);
  if (meanings.length === 0) throw unknown(reason ?? '');
  if (form === 'json' || form === 'yaml') {
    await printValue(meanings, form);
    return;
  }
  if (form === 'name') {
    const names = new Set(meanings.map((meaning) => meaning.reason));
    process.stdout.write(`${[...names].join('\n')}\n`);
    return;
  }
  if (reason !== undefined) {
    process.stdout.write(meaningsText(meanings));
    return;
  }
  const rows = meanings.map(({ kinds, condition, status, sentence, ...rest }) => [
    rest.reason,
    condition,
    status,
    kinds,
    sentence,
  ]);
  process.stdout.write(table(['REASON', 'CONDITION', 'STATUS', 'OF', 'SAYS'], rows));
}

function unknown(word: string): KeywardError {
  const similar = similarReasons(word);
  const hint = similar.length === 0 ? '' : `; like it: ${similar.join(', ')}`;
  return new KeywardError('Terminal', {
    reason: 'NotFound',
    message: `no condition, event or answer of a gate has the reason '${visible(word)}'${hint}; keyward explain lists all`,
  });
}
