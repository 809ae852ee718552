/** Pure; the fields that a store may require of a form. */
import { formProblem, type FormProblem, type FormSpec, type RequiredField } from './form.ts';

/** Where a required field stands, and whether it is filled in. */
type Requirement = {
  readonly field: string;
  readonly isThere: (form: FormSpec) => boolean;
  /** The code by which older portals report it. */
  readonly code?: number;
};

/**
 * A text counts if there is something to see. A service is described by its description: its name
 * alone says too little, and its address is a matter of Origins. Each way to say a start or an end
 * counts.
 */
const REQUIREMENTS: Readonly<Record<RequiredField, Requirement>> = {
  Service: { field: 'service.description', isThere: (form) => isSaid(form.service?.description) },
  Purpose: { field: 'purpose', isThere: (form) => isSaid(form.purpose) },
  Justification: {
    field: 'justification',
    isThere: (form) => isSaid(form.justification),
    code: 1128,
  },
  DisplayName: { field: 'displayName', isThere: (form) => isSaid(form.displayName) },
  Origins: {
    field: 'terms.originPolicy.allowed',
    isThere: ({ terms }) => (terms?.originPolicy?.allowed ?? []).length > 0,
  },
  Products: {
    field: 'terms.productRefs',
    isThere: ({ terms }) => (terms?.productRefs ?? []).length > 0,
    code: 1127,
  },
  EffectiveDate: {
    field: 'terms.validity.effectiveDate',
    isThere: ({ terms }) =>
      (terms?.validity?.effectiveDate ?? terms?.validity?.notBeforeTime) !== undefined,
  },
  ExpirationDate: {
    field: 'terms.validity.expirationDate',
    isThere: ({ terms }) => {
      const { expirationDate, expirationTime, durationDays } = terms?.validity ?? {};
      return (expirationDate ?? expirationTime ?? durationDays) !== undefined;
    },
  },
  Quota: { field: 'terms.quota.requests', isThere: ({ terms }) => terms?.quota !== undefined },
};

/** Each required field that is not filled in, in the order in which the store lists them. */
export function missingFields(
  form: FormSpec,
  required: readonly RequiredField[],
): readonly FormProblem[] {
  return required
    .map((name) => REQUIREMENTS[name])
    .filter(({ isThere }) => !isThere(form))
    .map(({ field, code }) => {
      const suffix = code === undefined ? '' : ` (code ${code})`;
      return formProblem('FieldRequired', field, `is missing; the store requires it${suffix}`);
    });
}

/** Blanks, invisible characters and the fillers of Hangul and Braille say nothing. */
function isSaid(text: string | undefined): boolean {
  return /[^\s\p{Cc}\p{Cf}\p{M}\u115f\u1160\u2800\u3164\uffa0]/u.test(text ?? '');
}
