/** One look at the policies: are they there, unweakened, and do they refuse what is forged? */
import { classify, type KeywardError } from '../../kernel/errors.ts';
import { ADMISSION_BINDINGS, ADMISSION_POLICIES } from '../../api/names.ts';
import type { KubeClient } from '../../kube/port.ts';
import { forgeriesFor, isRefusalBy, type Forgery } from './forgeries.ts';
import { fingerprintOf, flawOf, GUARDS, type FoundGuard, type Guard } from './policies.ts';

/**
 * What a look shows. Broken: forged objects may have come in. Unknown: it could not be seen; `isPassing`
 * where that is likely to go away by itself.
 */
export type Finding =
  | { readonly type: 'Proven'; readonly fingerprint: string }
  | { readonly type: 'Broken'; readonly reason: string }
  | { readonly type: 'Unknown'; readonly reason: string; readonly isPassing: boolean };

/** Where to look. */
type Examined = {
  readonly client: Pick<KubeClient, 'get' | 'create'>;
  /** The operator's own. */
  readonly namespace: string;
};

/**
 * Looks once. The objects are read before the first forgery is sent: so two looks with the same fingerprint
 * enclose a time in which nothing was done to them. Never rejects.
 */
export async function examine(examined: Examined, signal: AbortSignal): Promise<Finding> {
  try {
    const guards = await Promise.all(GUARDS.map((guard) => find(examined.client, guard, signal)));
    const flaw = guards.map(flawOf).find((found) => found !== undefined);
    if (flaw !== undefined) return { type: 'Broken', reason: flaw };
    const forgeries = forgeriesFor(examined.namespace);
    const answers = await Promise.all(forgeries.map((each) => send(examined, each, signal)));
    return worstOf(answers) ?? { type: 'Proven', fingerprint: fingerprintOf(guards) };
  } catch (error) {
    return unknown(classify(error));
  }
}

async function find(
  client: Examined['client'],
  guard: Guard,
  signal: AbortSignal,
): Promise<FoundGuard> {
  const ref = { namespace: '', name: guard.name };
  const [policy, binding] = await Promise.all([
    client.get(ADMISSION_POLICIES, ref, { signal }),
    client.get(ADMISSION_BINDINGS, ref, { signal }),
  ]);
  return { ...guard, policy, binding };
}

/** Undefined: refused by the policy that has to. */
async function send(
  { client }: Examined,
  { resource, draft, policy, lie }: Forgery,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  const accepted: Finding = { type: 'Broken', reason: `the API server accepted ${lie}` };
  try {
    await client.create(resource, draft, { dryRun: true, signal });
    return accepted;
  } catch (thrown) {
    const error = classify(thrown);
    // It came as far as the store, and only its name was taken there.
    if (error.reason === 'AlreadyExists') return accepted;
    return isRefusalBy(policy, error.message) ? undefined : unknown(error);
  }
}

function worstOf(answers: readonly (Finding | undefined)[]): Finding | undefined {
  return (
    answers.find((answer) => answer?.type === 'Broken') ??
    answers.find((answer) => answer?.type === 'Unknown' && !answer.isPassing) ??
    answers.find((answer) => answer !== undefined)
  );
}

function unknown(error: KeywardError): Finding {
  const isPassing = error.class === 'Transient' || error.class === 'Conflict';
  return { type: 'Unknown', reason: error.message, isPassing };
}
