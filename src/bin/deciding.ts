/** Composition of `keyward approve`, `deny`, `return` and `withdraw-grant`. */
import type { Ref } from '../api/meta.ts';
import { API_CLIENTS, API_KEY_APPLICATIONS, API_KEY_REVIEWS } from '../api/names.ts';
import {
  grantWithdrawal,
  reviewedBy,
  roundDecision,
  targetDecision,
  type ReviewDraft,
  type Said,
} from '../cli/decision.ts';
import { usageError } from '../cli/exit.ts';
import { parseNarrowed } from '../cli/narrowed.ts';
import type { Client, Form, Review } from '../cli/objects.ts';
import { outcomeOfReview } from '../cli/outcome.ts';
import { summaryText } from '../cli/reviewtext.ts';
import { parseTarget } from '../cli/switches.ts';
import type { Flags } from '../config/layers.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Whoami } from '../kube/person.ts';
import { eachOf, endWith } from './many.ts';
import { printValue, reportWrite } from './printing.ts';
import { type Session, withSession } from './session.ts';
import { waitFor, waitSeconds } from './waiting.ts';

type FormDecision = 'Approved' | 'Denied' | 'Returned' | 'Revoked';

/** `keyward approve|deny|return|withdraw-grant NAME...` */
export async function runDecision(
  flags: Flags,
  names: readonly string[],
  decision: FormDecision,
): Promise<void> {
  const said = saidBy(flags, decision);
  const seconds = waitSeconds(flags);
  await withSession(flags, async (session) => {
    const me = await session.client.whoami();
    await eachOf(names, async (name) => {
      const draft = await draftFor(session, name, said);
      if (flags['export'] === true) {
        await exportReview(session, draft, { me, attestedBy: textOf(flags['attestedBy']) });
      } else {
        await createReview(session, reviewedBy(draft, me), seconds);
      }
    });
  });
}

/** What the flags say of a decision. @throws KeywardError Terminal Usage */
export function saidBy(flags: Flags, decision: Said['decision']): Said {
  const { narrow } = flags;
  return {
    decision,
    layer: textOf(flags['layer']),
    reason: textOf(flags['reason']),
    message: textOf(flags['message']),
    narrowed: parseNarrowed(Array.isArray(narrow) ? narrow.map(String) : []),
    hash: textOf(flags['hash']),
  };
}

/** Creates the review and, when asked to, waits until it was judged. */
export async function createReview(
  session: Session,
  draft: ReviewDraft,
  seconds: number | undefined,
): Promise<void> {
  const { client, writing } = session;
  const made = await client.create(API_KEY_REVIEWS, draft, writing).catch(withRole);
  await reportWrite(session, API_KEY_REVIEWS, made, 'created');
  if (seconds === undefined || writing === 'Only check') return;
  const ref = { namespace: draft.metadata.namespace, name: draft.metadata.name };
  const watched = { resource: API_KEY_REVIEWS, ref, outcomeOf: outcomeOfReview };
  const { code } = await waitFor<Review>(session, watched, seconds);
  endWith(code);
}

/** Rights to write reviews belong to no built-in role, which the API server does not tell. */
function withRole(error: unknown): never {
  // Policies that refuse a review answer 403 too, and say why themselves.
  if (!(error instanceof KeywardError) || !error.message.includes('cannot create resource'))
    throw error;
  throw new KeywardError('Terminal', {
    reason: 'Forbidden',
    message: `${error.message}; role keyward-reviewer allows it (docs/guides/platform.md)`,
    cause: error,
  });
}

/** A few characters that make the name of a review its own. */
export function reviewSuffix(): string {
  return systemEntropy(4).toString('hex').slice(0, 6);
}

async function draftFor(session: Session, text: string, said: Said): Promise<ReviewDraft> {
  const { namespace, output } = session;
  if (text.includes('/')) return await clientDraft(session, text, said);
  const form = await formOf(session, { namespace, name: text });
  if (said.decision === 'Revoked') return grantWithdrawal(form, said, reviewSuffix());
  const draft = roundDecision(form, said, reviewSuffix());
  output.note(summaryText(form, said.narrowed));
  return draft;
}

/** Registrations are the one thing about a client that is approved. */
async function clientDraft(session: Session, text: string, said: Said): Promise<ReviewDraft> {
  const { target, name } = parseTarget(text);
  if (target !== 'Client' || said.decision !== 'Approved') {
    throw usageError(
      `'${text}' is no application; keys and clients are decided about by suspend, resume and revoke with --review`,
    );
  }
  const { client, namespace } = session;
  const found = await client.get(API_CLIENTS, { namespace, name });
  if (found === undefined) throw absent('client', { namespace, name });
  const { metadata } = found as Client;
  return targetDecision({ field: 'clientRef', metadata }, said, reviewSuffix());
}

/** The form. @throws KeywardError Terminal NotFound */
export async function formOf({ client }: Session, ref: Ref): Promise<Form> {
  const form = await client.get(API_KEY_APPLICATIONS, ref);
  if (form === undefined) throw absent('application', ref);
  // Parser: the API server answers for the objects it sends.
  return form as Form;
}

/** Says what is not there, and where it was looked for. */
export function absent(what: string, { namespace, name }: Ref): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'NotFound',
    message: `there is no ${what} ${name} in namespace ${namespace}; -n names another one`,
  });
}

/**
 * A file carries the person's name only together with the account that will apply it: that account
 * answers for it. Without one, whoever applies the file is the reviewer.
 */
async function exportReview(
  { output }: Session,
  draft: ReviewDraft,
  who: { readonly me: Whoami; readonly attestedBy: string | undefined },
): Promise<void> {
  const { me, attestedBy } = who;
  if (attestedBy !== undefined && me.username.startsWith('system:')) {
    throw new KeywardError('Terminal', {
      reason: 'NotAPerson',
      message: `you are ${me.username}, which is no person whom ${attestedBy} could answer for; leave out --attested-by`,
    });
  }
  output.data('---\n');
  await printValue(
    attestedBy === undefined ? draft : reviewedBy(draft, { username: me.username, attestedBy }),
    'yaml',
  );
  output.note(
    attestedBy === undefined
      ? 'whoever applies this file is the reviewer; --attested-by ACCOUNT names you instead\n'
      : `the store must list ${attestedBy} in applications.attestors\n`,
  );
}

/** The text of a flag; undefined: it was not given. */
export function textOf(flag: unknown): string | undefined {
  return typeof flag === 'string' ? flag : undefined;
}
