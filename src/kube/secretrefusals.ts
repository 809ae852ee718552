/**
 * Why the API server refused to write a Secret, in our own words: its own may quote what is in it. Pure.
 */

/** The parts of the server's answer that are looked at; `causes` and `causeFields` belong together. */
type RefusedWrite = {
  readonly code: number;
  readonly message: string;
  readonly causes: readonly string[];
  readonly causeFields: readonly string[];
};

/** What is refused, for the reason of an error, and what helps. */
type SecretRefusal = {
  readonly reason: 'QuotaExceeded' | 'SecretTooLarge' | 'Forbidden';
  readonly why: string;
};

/** As the admission plugin for ResourceQuotas says it; an answer has no field for that. */
const QUOTA = /\bexceeded quota\b/;

/**
 * Says which of those a refusal is. Forbidden is all that the cluster decides and no edit of ours changes,
 * whatever code it has: policies choose theirs, 422 where they choose none.
 */
export function secretRefusal(answer: RefusedWrite): SecretRefusal {
  const { code, message } = answer;
  if (code === 403 && QUOTA.test(message)) {
    return {
      reason: 'QuotaExceeded',
      why: 'a ResourceQuota of the namespace has no room for it; raise the quota, or delete Secrets there that nobody needs',
    };
  }
  if (isTooLarge(answer)) {
    return {
      reason: 'SecretTooLarge',
      why: 'it would be larger than the 1 MiB that the API server takes; give it fewer or shorter entries',
    };
  }
  return {
    reason: 'Forbidden',
    why: `the API server answered ${code} (not allowed); look at the roles of the account, and at the cluster's admission policies and webhooks`,
  };
}

function isTooLarge({ code, causes, causeFields }: RefusedWrite): boolean {
  const isDataTooLong = causes.some(
    (cause, index) => cause === 'FieldValueTooLong' && causeFields[index] === 'data',
  );
  return code === 413 || (code === 422 && isDataTooLong);
}
