/** Whether there is anything to grant, as it was asked for and narrowed. Pure. */
import type { FormRecord, Round } from '../../ledger/form.ts';
import { resolveTerms } from '../../terms/resolve.ts';
import { refused, type Refusal } from './judgement.ts';
import type { World } from './world.ts';

/** What an approval of this world would grant must still be possible. */
export function grantableObjection(
  { nowMs }: World,
  form: FormRecord,
  round: Round,
): Refusal | undefined {
  if (round.type === 'Revoke') return undefined;
  const { maxDurationDays, maxQuotaRequests } = round.rules;
  const resolution = resolveTerms(round.narrowed ?? round.content.terms, {
    nowMs,
    ...(maxDurationDays === undefined ? {} : { maxDurationDays }),
    ...(maxQuotaRequests === undefined ? {} : { maxQuotaRequests }),
    ...(form.issuedTo === undefined ? {} : { firstIssuedMs: form.issuedTo.atMs }),
  });
  return resolution.type === 'Resolved' && resolution.alreadyOver
    ? refused(
        'RequestExpired',
        'the validity that was asked for is over; return the form, so that a later end is asked for',
      )
    : undefined;
}
