/**
 * The spec that a grant stands for: state, Secret and what is allowed of rotation from the ApiKey itself,
 * everything else from what was approved. All rules after this read that spec and do not know where
 * it came from (docs/adr/0015). Pure.
 *
 * Whether new values need review follows the store as it is now, not as it was when the grant was
 * approved: a platform that begins to demand review means every key, and one that leaves it off
 * has no reviewer any more who could be asked.
 */
import type {
  ApiKeyRotation,
  ApiKeySecret,
  ApiKeySpec,
  ApiKeyTerms,
} from '../../api/generated/apikey.ts';
import type { FormRecord, Grant, Reissue } from '../../ledger/form.ts';
import type { TermsSpec } from '../../terms/terms.ts';
import type { ApiKeyView, ApplicationFact } from './world.ts';

/** The object as its grant makes it; as it is where there is no grant. */
export function grantedKey(
  key: ApiKeyView,
  { form, grant, reissues }: Pick<ApplicationFact, 'form' | 'grant' | 'reissues'>,
): ApiKeyView {
  if (form === undefined || grant === undefined) return key;
  const spec = grantedSpec(key.spec, form, { grant, reissues });
  if (reissues === 'Free' && openReissue(form) === undefined) return { ...key, spec };
  // One request at a time: what the form asks for goes before what the object asks for.
  const { rotateRequestId: _, ...rest } = key;
  return { ...rest, spec };
}

/** See the file comment. */
export function grantedSpec(
  spec: ApiKeySpec,
  form: FormRecord,
  { grant, reissues }: { readonly grant: Grant; readonly reissues: ApplicationFact['reissues'] },
): ApiKeySpec {
  const { applicationRef, state, deletionPolicy } = spec;
  const { storeRef, format, displayName, description, client, terms } = grant.content;
  const rotation = grantedRotation(spec.rotation, form, reissues);
  const secret = reissues === 'Reviewed' ? waitingForLoss(spec.secret) : spec.secret;
  return {
    ...(applicationRef === undefined ? {} : { applicationRef }),
    state,
    deletionPolicy,
    clientRef: { name: client.name },
    storeRef: { kind: storeRef.kind, name: storeRef.name },
    format,
    terms: completeTerms(terms),
    ...(displayName === undefined ? {} : { displayName }),
    ...(description === undefined ? {} : { description }),
    ...(rotation === undefined ? {} : { rotation }),
    ...(secret === undefined ? {} : { secret }),
  };
}

/**
 * Fields of a spec as written that would make new values although only a Reissue round may.
 * @param request a rotation request of the object that was never handled
 */
export function refusedFields(spec: ApiKeySpec, request: string | undefined): readonly string[] {
  const { maxAgeDays, slot, urgency } = spec.rotation ?? {};
  return [
    ...(request === undefined ? [] : [`rotation request '${request}'`]),
    ...(maxAgeDays === undefined ? [] : ['spec.rotation.maxAgeDays']),
    ...(slot === undefined ? [] : ['spec.rotation.slot']),
    ...(urgency === 'Emergency' ? ['spec.rotation.urgency: Emergency'] : []),
  ];
}

/** The approved request for new values that was not acted upon yet. */
export function openReissue({ reissue }: FormRecord): Reissue | undefined {
  return reissue?.state === 'Approved' ? reissue : undefined;
}

/** Begins the requests that approved reissues stand for. */
const REISSUE_PREFIX = 'reissue/';

/**
 * True for an id that only an approved reissue may have. Rounds and UIDs can be guessed: a request of
 * the object with such an id would spend a reissue before anybody asked for it.
 */
export function isReserved(requestId: string): boolean {
  return requestId.startsWith(REISSUE_PREFIX);
}

/**
 * The rotation request that an approved reissue stands for; it can be spent once in the key's life.
 * Objects cannot have it (see isReserved), and rounds are never numbered twice in one form.
 */
export function reissueRequestId(form: FormRecord): string | undefined {
  const reissue = openReissue(form);
  return reissue === undefined ? undefined : `${REISSUE_PREFIX}${reissue.round}/${form.uid}`;
}

function grantedRotation(
  own: ApiKeyRotation | undefined,
  form: FormRecord,
  reissues: ApplicationFact['reissues'],
): ApiKeyRotation | undefined {
  const reissue = openReissue(form);
  if (reissue === undefined && (own === undefined || reissues === 'Free')) return own;
  const { requestId: _, slot: __, maxAgeDays, overlapSeconds, ...how } = own ?? PLANNED;
  const requestId = reissueRequestId(form);
  return {
    ...how,
    // Exposed values must not outlive the decision; all others overlap as the store says.
    urgency: reissue?.reason === 'Exposed' ? 'Emergency' : 'Planned',
    ...(requestId === undefined ? {} : { requestId }),
    ...(reissues === 'Reviewed' || maxAgeDays === undefined ? {} : { maxAgeDays }),
    ...(reissues === 'Reviewed' || overlapSeconds === undefined ? {} : { overlapSeconds }),
  };
}

/** As the schema completes them. */
const PLANNED: ApiKeyRotation = { urgency: 'Planned', retirePrevious: 'AfterOverlap' };
const SECRET: ApiKeySecret = {
  type: 'servicebinding.io/api-key',
  layout: 'Binding',
  ownership: 'Owner',
  onLoss: 'Rotate',
};

/** Restoring brings back the value that was approved; only another one needs review. */
function waitingForLoss(secret: ApiKeySecret = SECRET): ApiKeySecret {
  return secret.onLoss === 'Rotate' ? { ...secret, onLoss: 'Wait' } : secret;
}

/** Defaults said, as the API server says them in an ApiKey. */
function completeTerms(terms: TermsSpec): ApiKeyTerms {
  const { quota, originPolicy, ...rest } = terms;
  return {
    ...rest,
    ...(quota === undefined ? {} : { quota: { period: 'Lifetime', ...quota } }),
    ...(originPolicy === undefined
      ? {}
      : { originPolicy: { missing: 'Deny', unknownPath: 'Allow', ...originPolicy } }),
  };
}
