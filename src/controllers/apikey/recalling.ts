/**
 * The values that a Secret is to show: from the ledger's sealed copy, else from the Secret as it is.
 * There a value may stand in the midst of a file that a template made. Places where one may begin and end
 * are guessed, and the ledger's digest decides: a text that was cut wrongly is never taken for the value.
 */
import { embeddedPairSecrets, embeddedValues } from '../../keys/embedded.ts';
import type { CredentialRecord } from '../../ledger/record.ts';
import type { Deps } from './deps.ts';
import {
  foreignGuesses,
  searchedTexts,
  type EntryText,
  type Filling,
  type Guess,
} from './guessing.ts';
import {
  credentialOf,
  isValueOf,
  makerOf,
  openSlot,
  type SlotPlace,
  type ValueMaker,
} from './material.ts';
import type { Secret } from './proof.ts';
import {
  slotKey,
  templateParts,
  type EntrySource,
  type SecretLayout,
  type SlotValues,
} from './secret.ts';
import type { World } from './world.ts';

/** What one Secret may cost, in guesses looked at, whatever it holds: less than 100 ms. */
export const STEPS_MAX = 50_000;
/** What a digest costs, in guesses looked at; and how many characters more cost one more. */
export const DIGEST_STEPS = 8;
const CHARACTERS_PER_STEP = 64;

/** What is left of STEPS_MAX; goes down. */
type Effort = { stepsLeft: number };

type Sought = { readonly index: string; readonly place: SlotPlace; readonly maker: ValueMaker };

/** The value of each slot that the layout names; those that cannot be had are not there. */
export function collectValues(
  deps: Deps,
  world: World,
  layout: SecretLayout,
  existing: Secret | undefined,
): SlotValues {
  const values = new Map<string, string>();
  const missing = new Map<string, SlotPlace>();
  for (const source of layout.fields.values()) {
    const place = placeOf(world, source);
    if (place === undefined) continue;
    const index = slotKey(place.credential.sequence, place.slot.name);
    const sealed = openSlot(deps, place.credential, place.slot);
    if (sealed === undefined) missing.set(index, place);
    else values.set(index, sealed.revealText());
  }
  const handle = world.key && deps.stores.of(world.key, world.record?.store).handle;
  if (existing === undefined || handle === undefined || missing.size === 0) return values;
  const sought = [...missing].map(([index, place]) => ({
    index,
    place,
    maker: makerOf(handle, place),
  }));
  const effort = { stepsLeft: STEPS_MAX };
  const isFound = ({ index, place, maker }: Sought, text: string): boolean => {
    effort.stepsLeft -= DIGEST_STEPS + text.length / CHARACTERS_PER_STEP;
    const isIt = isValueOf(deps, maker, place, text);
    if (isIt) values.set(index, text);
    return isIt;
  };
  search({ layout, sought, values, effort, isFound }, entriesOf(layout, existing));
  return values;
}

type Search = {
  readonly layout: SecretLayout;
  readonly sought: readonly Sought[];
  /** Those that are known by now. */
  readonly values: SlotValues;
  readonly effort: Effort;
  /** Whether the text is the value, which is known from then on. */
  readonly isFound: (sought: Sought, text: string) => boolean;
};

function search(
  { layout, sought, values, effort, isFound }: Search,
  entries: readonly EntryText[],
): void {
  const texts = searchedTexts(entries);
  for (const one of sought.filter(({ maker }) => maker.type === 'Local')) {
    for (const text of affordable(ownGuesses(texts, one.place), effort)) {
      if (isFound(one, text)) break;
    }
  }
  let left = sought.filter(({ maker }) => maker.type !== 'Local');
  if (left.length === 0) return;
  const credentials = [...new Set(left.map(({ place }) => place.credential))];
  const fillings = (): readonly Filling[] => [
    fillingNow(layout, values),
    ...credentials.flatMap((credential) => [
      fillingOf(layout, credential, ''),
      fillingOf(layout, credential, undefined),
    ]),
  ];
  for (const text of affordable(foreignGuesses(entries, fillings), effort)) {
    left = left.filter((one) => !isFound(one, text));
    if (left.length === 0) return;
  }
}

/** The guesses that hold a text, until the effort is spent. */
export function* affordable(guesses: Iterable<Guess>, effort: Effort): Generator<string> {
  for (const guess of guesses) {
    effort.stepsLeft -= 1;
    if (effort.stepsLeft < 0) return;
    if (guess !== undefined) yield guess;
  }
}

function placeOf({ record }: World, source: EntrySource): SlotPlace | undefined {
  const credential =
    source.type === 'Slot' && record ? credentialOf(record, source.sequence) : undefined;
  const slot = credential?.slots.find(({ name }) => source.type === 'Slot' && name === source.slot);
  return credential && slot && { credential, slot };
}

/** Those that the layout has now come first. */
function entriesOf({ entries }: SecretLayout, { data = {} }: Secret): readonly EntryText[] {
  const names = Object.keys(data);
  const wanted = names.filter((name) => entries.has(name));
  const others = names.filter((name) => !entries.has(name));
  return [...wanted, ...others].map((name) => ({
    text: Buffer.from(data[name] ?? '', 'base64').toString('utf8'),
    parts: templateParts(entries.get(name) ?? ''),
  }));
}

/** Values of ours say themselves where they begin and end. */
function* ownGuesses(texts: readonly string[], { credential, slot }: SlotPlace): Generator<Guess> {
  for (const text of texts) {
    if (slot.name === 'apiSecret') yield* embeddedPairSecrets(text, credential.hint);
    else yield* embeddedValues(text, credential.keyId);
  }
}

/** The fields as the layout has them now. */
function fillingNow({ fields }: SecretLayout, values: SlotValues): Filling {
  return (field) => {
    const source = fields.get(field);
    if (source?.type !== 'Slot') return source?.text ?? '';
    return values.get(slotKey(source.sequence, source.slot));
  };
}

/** The fields as they were while the credential was the current one, with no or any value before it. */
function fillingOf(
  { fields }: SecretLayout,
  credential: CredentialRecord,
  previous: '' | undefined,
): Filling {
  return (field) => {
    if (field.startsWith('previous')) return previous;
    if (field === 'keyId') return credential.keyId;
    const source = fields.get(field);
    if (source?.type === 'Slot') return undefined;
    // Of a pair it is the public name.
    return field === 'apiKey' ? credential.hint : (source?.text ?? '');
  };
}
