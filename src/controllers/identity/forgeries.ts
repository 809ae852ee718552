/**
 * Forms and reviews in somebody else's name, which the API server must refuse. Each is right but for one
 * lie, so that nothing but the rule against that lie can refuse it. Pure.
 */
import type { Resource } from '../../api/meta.ts';
import {
  ANNOTATION_APPLICANT,
  API_KEY_APPLICATIONS,
  API_KEY_REVIEWS,
  API_VERSION,
} from '../../api/names.ts';
import type { Draft } from '../../kube/port.ts';

/** What to send as a dry run, and who must refuse it. */
export type Forgery = {
  readonly resource: Resource;
  readonly draft: Draft;
  readonly policy: string;
  /** For people: what was pretended. */
  readonly lie: string;
};

/** Nobody has this name: a colon and a slash are in no user name that authenticators of clusters give. */
const NOBODY = 'keyward.dev/forged:nobody';
const NAME = 'keyward-policy-proof';
/** No object has it. */
const NO_UID = '00000000-0000-4000-8000-000000000000';

/** All forgeries, for the operator's own namespace. */
export function forgeriesFor(namespace: string): readonly Forgery[] {
  const metadata = { name: NAME, namespace };
  const review = (reviewer: object, lie: string): Forgery => ({
    resource: API_KEY_REVIEWS,
    draft: {
      apiVersion: API_VERSION,
      kind: API_KEY_REVIEWS.kind,
      metadata,
      // The decision that needs the fewest fields: the schema must have nothing to say against it.
      spec: { clientRef: { name: NAME, uid: NO_UID }, decision: 'Resumed', reviewer },
    },
    policy: 'keyward-reviews',
    lie,
  });
  return [
    review({ username: NOBODY }, 'a review in the name of somebody else'),
    review(
      { username: `${NOBODY}-2`, attestedBy: NOBODY },
      'a review that somebody else answers for',
    ),
    {
      resource: API_KEY_APPLICATIONS,
      draft: {
        apiVersion: API_VERSION,
        kind: API_KEY_APPLICATIONS.kind,
        metadata: { ...metadata, annotations: { [ANNOTATION_APPLICANT]: NOBODY } },
        spec: { submission: 'Draft' },
      },
      policy: 'keyward-applications',
      lie: 'an application in the name of somebody else',
    },
  ];
}

/**
 * Whether the API server's words say that this very policy refused. Another policy or a missing right may
 * refuse as well, and say nothing about ours.
 */
export function isRefusalBy(policy: string, message: string): boolean {
  return message.includes(`ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied`);
}
