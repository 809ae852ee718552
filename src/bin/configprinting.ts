/** Composition of `keyward config print`; loads nothing that speaks to a server. */
import { usageError } from '../cli/exit.ts';
import { visibleJson } from '../cli/visible.ts';
import { gateConfig } from '../config/gate.ts';
import type { Effective, Flags } from '../config/layers.ts';
import { loadSettings } from '../config/load.ts';
import { operatorConfig } from '../config/operator.ts';
import { printedSettings, settingsFile } from '../config/print.ts';
import type { Program } from '../config/settings.ts';

/**
 * Prints what a server with these flags would have, then says what keeps it from starting, if anything does.
 * @throws KeywardError Terminal Usage or InvalidConfiguration
 */
export async function runConfigPrint(program: Program, flags: Flags): Promise<void> {
  const { output = 'yaml' } = flags;
  if (output !== 'yaml' && output !== 'json') {
    throw usageError(`-o takes yaml, json, not '${String(output)}'`);
  }
  const effective = await loadSettings(program, flags);
  const json = { program, settings: printedSettings(effective) };
  const text = output === 'json' ? `${visibleJson(json)}\n` : settingsFile(program, effective);
  process.stdout.write(text);
  check(program, effective);
}

function check(program: Program, effective: readonly Effective[]): void {
  if (program === 'gate') gateConfig(effective);
  // No server listens under this name.
  else operatorConfig(effective, 'localhost');
}
