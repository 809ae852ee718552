/** Answers that are always the same, made once, and how often each was given. Pure, but for that. */
import type { StoreProfile } from '../ledger/documents.ts';
import { REFUSALS, type Refusal } from '../terms/refusals.ts';
import type { Decision } from './decision.ts';

const PROFILES: readonly StoreProfile[] = [
  'Keyward',
  'VisitSeoul',
  'Naver',
  'Solapi',
  'DigiRunner',
];

/** One answer, or all yeses of a profile. */
type Given = {
  readonly result: 'allowed' | 'refused';
  /** Of a refusal; empty for a yes. */
  readonly cause: string;
  readonly profile: StoreProfile;
  times: number;
};

type RefusalGiven = Given & { readonly decision: Decision };

/** See the file comment. */
export class Answers {
  readonly #refusals = new Map<Refusal, Readonly<Record<StoreProfile, RefusalGiven>>>();
  readonly #allowed = byProfile((profile): Given => {
    return { result: 'allowed', cause: '', profile, times: 0 };
  });

  constructor() {
    for (const refusal of Object.values(REFUSALS)) {
      this.#refusals.set(
        refusal,
        byProfile((profile) => ({
          result: 'refused',
          cause: refusal.cause,
          profile,
          times: 0,
          decision: { type: 'Refused', refusal, profile },
        })),
      );
    }
  }

  /** The no in the shape of a profile; counted. */
  refused(refusal: Refusal, profile: StoreProfile): Decision {
    const given = this.#refusals.get(refusal)?.[profile];
    if (given === undefined) return { type: 'Refused', refusal, profile };
    given.times += 1;
    return given.decision;
  }

  /** Counts a yes. */
  allowed(profile: StoreProfile): void {
    this.#allowed[profile].times += 1;
  }

  /** What was answered so far, also what never was. */
  given(): readonly Given[] {
    const refusals = [...this.#refusals.values()].flatMap((each) => Object.values(each));
    return [...Object.values(this.#allowed), ...refusals];
  }
}

function byProfile<T>(make: (profile: StoreProfile) => T): Record<StoreProfile, T> {
  // Every profile is in the list, so every field is there.
  return Object.fromEntries(PROFILES.map((profile) => [profile, make(profile)])) as Record<
    StoreProfile,
    T
  >;
}
