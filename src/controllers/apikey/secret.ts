/**
 * The Secret we want for a key: first its layout (which value goes where, no values in it), then the
 * object. Pure.
 */
import { hash } from 'node:crypto';
import {
  ANNOTATION_FINGERPRINT,
  ANNOTATION_MAC,
  API_VERSION,
  LABEL_API_KEY,
  LABEL_MANAGED_BY,
  MANAGED_BY,
  SECRET_TYPE_BINDING,
} from '../../api/names.ts';
import type { OwnerReference } from '../../api/meta.ts';
import type { SlotName } from '../../keys/mint.ts';
import type { CredentialRecord, KeyRecord, SlotRecord } from '../../ledger/record.ts';
import { isOpen } from '../../ledger/transitions.ts';
import { isLive } from '../../terms/verdict.ts';
import type { ApiKeyView } from './world.ts';

/** Where the text of one Secret entry comes from. */
export type EntrySource =
  | { readonly type: 'Literal'; readonly text: string }
  | {
      readonly type: 'Slot';
      readonly keyId: string;
      readonly sequence: number;
      readonly slot: SlotName;
      readonly generation: number;
    };

/** The Secret without its values: everything that decides what it should look like. */
export type SecretLayout = {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: OwnerReference | undefined;
  /** Sequence of the credential in it. */
  readonly sequence: number;
  /** Canonical field name (`apiKey`, `keyId`, ...) to source, of the fields that entries name. */
  readonly fields: ReadonlyMap<string, EntrySource>;
  /** Those that no entry names too: what the shape has always been made from. */
  readonly allFields: ReadonlyMap<string, EntrySource>;
  /** Entry name in the Secret to its text, in which `{{ .field }}` stands for a field. */
  readonly entries: ReadonlyMap<string, string>;
  /**
   * IfKnown: an old value that cannot be had is left out, as where there is none. A template may begin to
   * name one in the midst of an overlap, which no Secret shows by then.
   */
  readonly oldValues: 'Needed' | 'IfKnown';
};

/** Every canonical field a template may name. */
const FIELD_NAMES = [
  'apiKey',
  'apiSecret',
  'primaryKey',
  'secondaryKey',
  'previousApiKey',
  'previousApiSecret',
  'keyId',
  'type',
  'provider',
] as const;

const PLACEHOLDER = /\{\{\s*\.([A-Za-z]+)\s*\}\}/g;

/** What the layout is made from. */
export type LayoutInput = {
  readonly key: Pick<ApiKeyView, 'ref' | 'uid' | 'spec'>;
  readonly record: KeyRecord;
  readonly provider: string;
  readonly overlapMs: number;
  readonly nowMs: number;
};

/** The layout the Secret of this record should have; undefined while no credential is live. */
export function secretLayout(input: LayoutInput): SecretLayout | undefined {
  const { key, record } = input;
  const live = record.credentials.filter((credential) => isLive(credential, input.nowMs));
  const current = live.at(-1);
  if (current === undefined) return undefined;
  const wanted = key.spec.secret;
  const fields = fieldSources(current, previousOf(live, current, input), input);
  const entries = entriesOf(wanted, fields);
  return {
    name: record.secret?.name ?? wanted?.name ?? key.ref.name,
    type: wanted?.type ?? SECRET_TYPE_BINDING,
    labels: labelsOf(key),
    annotations: { ...wanted?.annotations },
    owner: wanted?.ownership === 'Orphan' ? undefined : ownerOf(key),
    sequence: current.sequence,
    fields: namedIn(entries, fields),
    allFields: fields,
    entries,
    oldValues: wanted?.layout === 'Template' ? 'IfKnown' : 'Needed',
  };
}

/**
 * One line that changes whenever the Secret must be written again. The ledger keeps it: what it is made
 * from can never change without that all Secrets are written again after an upgrade.
 */
export function shapeOf(layout: SecretLayout): string {
  const { name, type, labels, annotations, owner, sequence, allFields, entries } = layout;
  const metadata = { name, type, labels, annotations, owner, sequence };
  const plain = { ...metadata, fields: [...allFields], entries: [...entries] };
  return hash('sha256', JSON.stringify(plain), 'base64url');
}

/** The values of the layout's slots, by `slotKey`. */
export type SlotValues = ReadonlyMap<string, string>;

/** Index of a slot's value in SlotValues. */
export function slotKey(sequence: number, slot: SlotName): string {
  return `${sequence}/${slot}`;
}

/** The Secret's entries with their values; throws nothing, a missing value is undefined. */
export function renderEntries(
  layout: SecretLayout,
  values: SlotValues,
): Readonly<Record<string, string>> | undefined {
  const texts = new Map<string, string>();
  for (const [field, source] of layout.fields) {
    const text =
      source.type === 'Literal' ? source.text : values.get(slotKey(source.sequence, source.slot));
    if (text !== undefined) texts.set(field, text);
    else if (!mayBeEmpty(layout, source)) return undefined;
  }
  const render = (template: string): string =>
    template.replace(PLACEHOLDER, (_, field: string) => texts.get(field) ?? '');
  return Object.fromEntries([...layout.entries].map(([name, text]) => [name, render(text)]));
}

/** Whether the Secret is whole without the value. */
export function mayBeEmpty({ oldValues, sequence }: SecretLayout, source: EntrySource): boolean {
  return oldValues === 'IfKnown' && source.type === 'Slot' && source.sequence !== sequence;
}

/** The fields a template names that do not exist, in order of appearance. */
export function unknownTemplateFields(template: Readonly<Record<string, string>>): string[] {
  const names = Object.values(template).flatMap(fieldsIn);
  const known: readonly string[] = FIELD_NAMES;
  return [...new Set(names.filter((name) => !known.includes(name)))];
}

/** A template cut at its placeholders: at each even index a text, maybe empty, at each odd one a field. */
export function templateParts(template: string): readonly string[] {
  return template.split(PLACEHOLDER);
}

function fieldsIn(template: string): readonly string[] {
  return templateParts(template).filter((_, index) => index % 2 === 1);
}

/** Metadata that a Secret must carry to be whole, given its fingerprint and MAC. */
export function secretAnnotations(
  layout: SecretLayout,
  proof: { readonly fingerprint: string; readonly mac: string },
): Readonly<Record<string, string>> {
  return {
    ...layout.annotations,
    [ANNOTATION_FINGERPRINT]: proof.fingerprint,
    [ANNOTATION_MAC]: proof.mac,
  };
}

/**
 * The credential whose value is shown as previous: the newest live one before the current, while
 * an overlap is wanted and its value can still be read.
 */
function previousOf(
  live: readonly CredentialRecord[],
  current: CredentialRecord,
  input: LayoutInput,
): CredentialRecord | undefined {
  const previous = live.findLast((credential) => credential.sequence < current.sequence);
  if (previous === undefined || previous.valueLost === true) return undefined;
  return isOpen(current) && input.overlapMs === 0 ? undefined : previous;
}

function fieldSources(
  current: CredentialRecord,
  previous: CredentialRecord | undefined,
  input: LayoutInput,
): Map<string, EntrySource> {
  const fields = new Map<string, EntrySource>([
    ['keyId', literal(current.keyId)],
    ['type', literal('api-key')],
    ['provider', literal(input.provider)],
  ]);
  for (const slot of current.slots) fields.set(slot.name, slotSource(current, slot.name));
  const slotInRole = (role: SlotRecord['role']): SlotRecord | undefined =>
    current.slots.find((slot) => slot.role === role);
  const useNow = slotInRole('Next') ?? slotInRole('Active');
  if (input.record.format === 'Dual' && useNow !== undefined) {
    fields.set('apiKey', slotSource(current, useNow.name));
  }
  if (input.record.format === 'KeyPair') fields.set('apiKey', literal(current.hint));
  if (previous !== undefined) addPrevious(fields, previous, input);
  return fields;
}

function addPrevious(
  fields: Map<string, EntrySource>,
  previous: CredentialRecord,
  input: LayoutInput,
): void {
  if (input.record.format === 'KeyPair') {
    fields.set('previousApiKey', literal(previous.hint));
    fields.set('previousApiSecret', slotSource(previous, 'apiSecret'));
    return;
  }
  const slot = previous.slots.find((candidate) => candidate.role === 'Active');
  if (slot !== undefined) fields.set('previousApiKey', slotSource(previous, slot.name));
}

/** A value that no entry shows is asked for by nobody, and may be nowhere any more. */
function namedIn(
  entries: ReadonlyMap<string, string>,
  fields: ReadonlyMap<string, EntrySource>,
): ReadonlyMap<string, EntrySource> {
  const named = new Set([...entries.values()].flatMap(fieldsIn));
  return new Map([...fields].filter(([field]) => named.has(field)));
}

function labelsOf({ ref, uid, spec }: LayoutInput['key']): Readonly<Record<string, string>> {
  return {
    ...spec.secret?.labels,
    [LABEL_MANAGED_BY]: MANAGED_BY,
    [LABEL_API_KEY]: ref.name.length <= 63 ? ref.name : uid,
  };
}

function literal(text: string): EntrySource {
  return { type: 'Literal', text };
}

function slotSource(credential: CredentialRecord, name: SlotName): EntrySource {
  const generation = credential.slots.find((slot) => slot.name === name)?.generation ?? 0;
  const { keyId, sequence } = credential;
  return { type: 'Slot', keyId, sequence, slot: name, generation };
}

function entriesOf(
  wanted: ApiKeyView['spec']['secret'],
  fields: ReadonlyMap<string, EntrySource>,
): Map<string, string> {
  if (wanted?.layout === 'Template') return new Map(Object.entries(wanted.template ?? {}));
  const name =
    wanted?.layout === 'Env' ? envName(wanted.envPrefix ?? '') : (field: string) => field;
  return new Map([...fields.keys()].map((field) => [name(field), `{{ .${field} }}`]));
}

/** `apiKey` becomes PREFIX_API_KEY, as environment variables are written. */
function envName(prefix: string): (field: string) => string {
  const lead = prefix === '' || prefix.endsWith('_') ? prefix : `${prefix}_`;
  return (field) => lead + field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function ownerOf(key: Pick<ApiKeyView, 'ref' | 'uid'>): OwnerReference {
  return {
    apiVersion: API_VERSION,
    kind: 'ApiKey',
    name: key.ref.name,
    uid: key.uid,
    controller: true,
    blockOwnerDeletion: false,
  };
}
