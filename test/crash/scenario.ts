/** What a scenario of the crash matrix says. */
import type { Trait } from './sides.ts';
import type { Site } from './site.ts';

/** See the file comment. */
export type Scenario = {
  readonly name: string;
  /** Absent: it makes sense on every side. */
  readonly needs?: Trait;
  /** Overlap of rotations in the store. */
  readonly overlapSeconds: number;
  readonly maxKeys?: number;
  /** The built-in store keeps values sealed; vendors' stores do as they can. */
  readonly recovery?: 'Sealed';
  /** The store's rules about applications; absent: keys need none. */
  readonly applications?: Applications;
  /** Before the operator is started. */
  readonly prepare?: (site: Site) => void | Promise<void>;
  readonly run: (site: Site) => Promise<void>;
  /** ApiKeys that must work at the end: their Secrets hold the current value. */
  readonly working: readonly string[];
  /** What they show at the end; absent: Active. Suspended ones do not work, of course. */
  readonly shown?: 'Suspended';
  /** The namespace itself goes. */
  readonly endsNamespace?: true;
  /** A person may have to decide, because a stranger acts at the worst moment. */
  readonly mayBeAmbiguous?: true;
  /** Each plan waits for a Lease to run out, so only so many are run, drawn by the seed. */
  readonly plansMax?: number;
};

/** Member `applications` of the store, without `requirement`, which is Always. */
export type Applications = {
  /** Absent: Issue, Change and Reissue. */
  readonly requiredFor?: readonly ('Issue' | 'Change' | 'Reissue' | 'Revoke')[];
  readonly layers?: readonly { readonly name: string; readonly approvals?: number }[];
};
