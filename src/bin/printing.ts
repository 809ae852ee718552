/** Standard output of commands for people: the form that `-o` asks for, and colours. */
import type { Flags } from '../config.ts';
import { isHarmless, visibleJson } from '../cli/visible.ts';
import { KeywardError } from '../kernel/errors.ts';

const FORMS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** What `-o` takes. */
export type OutputForm = (typeof FORMS)[number];

/** The wanted form. @throws KeywardError Terminal Usage */
export function outputForm(flags: Flags): OutputForm {
  const { output = 'table' } = flags;
  const form = FORMS.find((known) => known === output);
  if (form !== undefined) return form;
  throw new KeywardError('Terminal', {
    reason: 'Usage',
    message: `-o takes ${FORMS.join(', ')}, not '${String(output)}'`,
  });
}

/** Prints a plain value for programs; nothing in it can act on a terminal. */
export async function printValue(value: unknown, form: 'json' | 'yaml'): Promise<void> {
  const json = `${visibleJson(value)}\n`;
  if (form === 'json') {
    process.stdout.write(json);
    return;
  }
  const { stringify } = await import('yaml');
  const yaml = stringify(value, { lineWidth: 0 });
  // JSON is YAML too, and can say by escapes what must not stand there itself.
  process.stdout.write(isHarmless(yaml) ? yaml : json);
}
