/**
 * Pure; what follows from the profile of a built-in store. A profile makes the store behave as the
 * system whose name it has: which credentials it gives, how long names can be, and how the gate answers.
 * The values themselves are Keyward's own, with index and checksum, in every profile.
 */
import type { KeyFormat } from '../../keys/format.ts';
import type { StoreProfile } from '../../ledger/documents.ts';

/** The habits of one profile, as far as a store has them. */
type Habits = {
  /** Formats that can be asked for; the first is what a key gets that names none. */
  readonly formats: readonly [KeyFormat, ...(readonly KeyFormat[])];
  /** What `recovery` is where the store does not say. */
  readonly recovery: 'None' | 'Sealed';
  /** Code points. */
  readonly displayNameMax: number;
  /** Code points. */
  readonly descriptionMax: number;
};

const NAME_MAX = { displayNameMax: 255, descriptionMax: 500 } as const;

const PROFILES: Readonly<Record<StoreProfile, Habits>> = {
  Keyward: { formats: ['Opaque', 'Dual', 'KeyPair'], recovery: 'None', ...NAME_MAX },
  // One value in a header.
  VisitSeoul: { formats: ['Opaque'], recovery: 'None', ...NAME_MAX },
  // Two values that work side by side.
  Naver: { formats: ['Dual'], recovery: 'None', displayNameMax: 20, descriptionMax: 50 },
  // Requests are signed, and the gate can only check a signature when it can read the secret.
  Solapi: { formats: ['KeyPair'], recovery: 'Sealed', ...NAME_MAX },
  DigiRunner: { formats: ['KeyPair', 'Opaque'], recovery: 'Sealed', ...NAME_MAX },
};

/** What a store is set to, with what follows from its profile filled in. */
export type Chosen = {
  readonly profile: StoreProfile;
  readonly habits: Habits;
  readonly format: KeyFormat;
  readonly isRecoverable: boolean;
};

/** The choice of a store's settings, or in one sentence what contradicts what. */
export function chosenOf({
  profile = 'Keyward',
  format,
  recovery,
}: Readonly<Record<string, unknown>>): Chosen | { readonly problem: string } {
  const habits = isProfile(profile) ? PROFILES[profile] : undefined;
  if (habits === undefined || !isProfile(profile)) {
    return { problem: `spec.builtin.profile ${JSON.stringify(profile)} is unknown` };
  }
  if (recovery !== undefined && recovery !== 'None' && recovery !== 'Sealed') {
    return { problem: `spec.builtin.recovery ${JSON.stringify(recovery)} is unknown` };
  }
  const isRecoverable = (recovery ?? habits.recovery) === 'Sealed';
  const chosen = habits.formats.find((each) => each === (format ?? habits.formats[0]));
  if (chosen === undefined) return { problem: wrongFormat(profile, habits, format) };
  if (chosen === 'KeyPair' && !isRecoverable) {
    return { problem: 'spec.builtin.format KeyPair needs recovery: Sealed' };
  }
  return { profile, habits, format: chosen, isRecoverable };
}

/** The formats that keys of the store can have. */
export function formatsOf({
  habits,
  isRecoverable,
}: Pick<Chosen, 'habits' | 'isRecoverable'>): readonly KeyFormat[] {
  // The secret of a pair signs requests, so the gate must be able to open it.
  return isRecoverable ? habits.formats : habits.formats.filter((format) => format !== 'KeyPair');
}

function wrongFormat(profile: StoreProfile, { formats }: Habits, format: unknown): string {
  const of = profile === 'Keyward' ? '' : ` with profile ${profile}`;
  return `spec.builtin.format${of} is ${formats.join(' or ')}, not ${JSON.stringify(format)}`;
}

function isProfile(text: unknown): text is StoreProfile {
  return typeof text === 'string' && Object.hasOwn(PROFILES, text);
}
