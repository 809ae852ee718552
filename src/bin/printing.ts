/** Standard output of commands for people: the form that `-o` asks for, and colours. */
import { usageError } from '../cli/exit.ts';
import type { Flags } from '../config/layers.ts';
import type { KubeObject, ObjectMeta, Resource } from '../api/meta.ts';
import { isHarmless, visibleJson } from '../cli/visible.ts';
import type { Output } from '../cli/output.ts';
import { yamlText } from '../cli/yamltext.ts';
import type { Writing } from '../kube/person.ts';

const FORMS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

/** What `-o` takes. */
export type OutputForm = (typeof FORMS)[number];

/** The wanted form. @throws KeywardError Terminal Usage */
export function outputForm(flags: Flags): OutputForm {
  const { output = 'table' } = flags;
  const form = FORMS.find((known) => known === output);
  if (form !== undefined) return form;
  throw usageError(`-o takes ${FORMS.join(', ')}, not '${String(output)}'`);
}

/** Prints a plain value for programs; nothing in it can act on a terminal. */
export async function printValue(value: unknown, form: 'json' | 'yaml'): Promise<void> {
  const json = `${visibleJson(value)}\n`;
  if (form === 'json') {
    process.stdout.write(json);
    return;
  }
  const yaml = await yamlText(value);
  // JSON is YAML too, and can say by escapes what must not stand there itself.
  process.stdout.write(isHarmless(yaml) ? yaml : json);
}

/** `apikey.keyward.dev/NAME`, as kubectl names objects. */
function objectName(resource: Resource, name: string): string {
  return `${resource.kind.toLowerCase()}.${resource.group}/${name}`;
}

/** Prints one object for programs; its bookkeeping is left out, as kubectl does. */
export async function printObject(
  resource: Resource,
  object: KubeObject,
  form: 'json' | 'yaml' | 'name',
): Promise<void> {
  if (form === 'name') process.stdout.write(`${objectName(resource, object.metadata.name)}\n`);
  else await printValue(typed(resource, object), form);
}

/** Prints objects for programs. */
export async function printList(
  resource: Resource,
  objects: readonly KubeObject[],
  form: 'json' | 'yaml' | 'name',
): Promise<void> {
  if (form === 'name') {
    const names = objects.map(({ metadata }) => `${objectName(resource, metadata.name)}\n`);
    process.stdout.write(names.join(''));
    return;
  }
  const items = objects.map((object) => typed(resource, object));
  await printValue({ apiVersion: 'v1', kind: 'List', items }, form);
}

/** Items of lists come without their type. */
function typed({ group, version, kind }: Resource, object: KubeObject): object {
  const { managedFields: _, ...metadata } = object.metadata as ObjectMeta & {
    readonly managedFields?: unknown;
  };
  return { apiVersion: `${group}/${version}`, kind, ...object, metadata };
}

/** Says that an object was written, or prints it in the form that was asked for. */
export async function reportWrite(
  session: { readonly form: OutputForm; readonly writing: Writing; readonly output: Output },
  resource: Resource,
  object: KubeObject,
  done: string,
): Promise<void> {
  const { form, writing, output } = session;
  if (form !== 'table' && form !== 'wide') {
    await printObject(resource, object, form);
    return;
  }
  const dry = writing === 'Only check' ? ' (server dry run)' : '';
  output.data(`${objectName(resource, object.metadata.name)} ${done}${dry}\n`);
}
