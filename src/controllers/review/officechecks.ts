/** Whether the reviewer may decide there: what is asked, and what the answers mean. Pure. */
import {
  clientAuthorAttributes,
  decideAttributes,
  formAuthorAttributes,
  inWords,
  probeOf,
  subjectOf,
  type Office,
  type Questions,
} from './rights.ts';
import { quoted, refused, type Objection } from './judgement.ts';
import { decidedAbout } from './rounds.ts';
import type { ClientTarget, FormTarget, KeyTarget, World } from './world.ts';

/** Where the right must be held, and by what one would be an author of the matter. */
type Venue = { readonly office: Office; readonly author: Questions['author'] };

/**
 * What the API server is asked about the reviewer of this world.
 *
 * @returns undefined where no store is known at which the right could be held
 */
export function questionsOf(world: World): Questions | undefined {
  const { review, target } = world;
  const { reviewer, layer } = review.spec;
  const venue = venueOf(world, target);
  if (reviewer === undefined || venue === undefined) return undefined;
  const decide = decideAttributes(venue.office, { namespace: review.ref.namespace, layer });
  const subject = subjectOf(reviewer);
  return { subject, decide, probe: probeOf(decide), author: venue.author };
}

/** Refused without the right, and with a right that makes the reviewer an author. */
export function rightsObjection(world: World): Objection | undefined {
  const { rights, review } = world;
  const questions = questionsOf(world);
  const who = quoted(review.spec.reviewer?.username ?? '');
  if (questions === undefined) {
    return refused('StoreNotAvailable', 'the store whose reviewers could decide is gone');
  }
  if (rights === undefined) return { type: 'Ask' };
  if (!rights.mayDecide) {
    return refused(
      'ReviewerNotAuthorized',
      `${who} may not ${inWords(questions.decide)}; have this verb of group keyward.dev granted and write the review again`,
    );
  }
  return rights.mayAuthor === undefined
    ? undefined
    : refused(
        'SelfReviewNotAllowed',
        `${who} may ${rights.mayAuthor}, and the rules here refuse reviewers who could be authors`,
      );
}

/**
 * Where no round says whose turn it is: any one layer that there is will do, and none as well, because
 * the right is asked for on just what is named.
 */
export function anyLayerObjection(
  layer: string | undefined,
  names: readonly string[],
): Objection | undefined {
  if (layer === undefined || names.includes(layer)) return undefined;
  const there = names.length === 0 ? 'there are none here' : `there are ${names.join(', ')}`;
  return refused('WrongLayer', `there is no layer '${layer}'; ${there}`);
}

function venueOf(world: World, target: World['target']): Venue | undefined {
  switch (target.kind) {
    case 'ApiKeyApplication':
      return formVenue(world, target);
    case 'ApiKey':
      return keyVenue(world, target);
    case 'ApiClient':
      return clientVenue(world, target);
  }
}

/** The store that the round, or the grant that is withdrawn, is about: frozen, whatever is edited. */
function formVenue({ review }: World, { form }: FormTarget): Venue | undefined {
  const round = form?.round;
  if (form === undefined || round === undefined) return undefined;
  const subject = decidedAbout(form, review.spec);
  if (subject === undefined) return undefined;
  const { kind, name } = subject.content.storeRef;
  const isStrict = round.rules.selfReview === 'ForbiddenInNamespace';
  return {
    office: { type: 'Store', kind, name },
    author: isStrict ? formAuthorAttributes(review.ref.namespace) : [],
  };
}

/** A switch is anybody's who may approve at the store; lifting it is as good as approving. */
function keyVenue({ review }: World, { store }: KeyTarget): Venue | undefined {
  if (store === undefined) return undefined;
  const isStrict =
    review.spec.decision === 'Resumed' && store.selfReview === 'ForbiddenInNamespace';
  return {
    office: { type: 'Store', kind: store.kind, name: store.name },
    author: isStrict ? formAuthorAttributes(review.ref.namespace) : [],
  };
}

/**
 * A client belongs to no store, so the right is one on the client itself. Nobody records who wrote
 * it; so whoever could write it may not open it, unless every store lets people decide themselves.
 */
function clientVenue({ review }: World, { sight, stores }: ClientTarget): Venue | undefined {
  if (sight === undefined) return undefined;
  const name = review.spec.clientRef?.name ?? '';
  const { decision } = review.spec;
  const isOpening = decision === 'Approved' || decision === 'Resumed';
  const isStrict = isOpening && stores.some(({ selfReview }) => selfReview !== 'Allowed');
  return {
    office: { type: 'Client', name },
    author: isStrict ? clientAuthorAttributes(review.ref.namespace, name) : [],
  };
}
