/** Composition of `keyward rotate`, `suspend`, `resume` and `revoke`. */
import type { KubeObject, Resource } from '../api/meta.ts';
import { API_CLIENTS, API_KEY_APPLICATIONS, API_KEYS } from '../api/names.ts';
import { reviewedBy, targetDecision } from '../cli/decision.ts';
import { usageError } from '../cli/exit.ts';
import { storeOf, type Client, type Form, type Key } from '../cli/objects.ts';
import { outcomeOfForm, outcomeOfRotation, outcomeOfSwitch, type Outcome } from '../cli/outcome.ts';
import {
  parseReissueReason,
  parseTarget,
  placeOfRotation,
  refuseWordsOfForms,
  refuseWordsOfReviews,
  reissuePatch,
  type ReissueWish,
  rotationPatch,
  switchPatch,
  type Switch,
  type SwitchTarget,
} from '../cli/switches.ts';
import type { Flags } from '../config/layers.ts';
import { systemEntropy } from '../kernel/entropy.ts';
import { absent, createReview, formOf, reviewSuffix, saidBy, textOf } from './deciding.ts';
import { eachOf, endWith } from './many.ts';
import { storeFor } from './looking.ts';
import { reportWrite } from './printing.ts';
import { type Session, withSession } from './session.ts';
import { waitFor, waitSeconds } from './waiting.ts';

const STANDS = 'what a reviewer suspended stays so until a reviewer lifts it (--review)';
const RESOURCES: Readonly<Record<SwitchTarget, Resource>> = { Key: API_KEYS, Client: API_CLIENTS };

/** `keyward rotate NAME` */
export async function runRotate(flags: Flags, name: string): Promise<void> {
  const seconds = waitSeconds(flags);
  const { slot } = flags;
  const requestId = textOf(flags['requestId']) ?? `cli-${systemEntropy(8).toString('hex')}`;
  const body = rotationPatch({
    requestId,
    urgency: flags['emergency'] === true ? 'Emergency' : 'Planned',
    slot: textOf(slot),
    overlapSeconds: overlapOf(flags),
  });
  const wish: ReissueWish = {
    requestId,
    reason: parseReissueReason(textOf(flags['reason'])),
    message: textOf(flags['message']),
  };
  await withSession(flags, async (session) => {
    const form = await formToAsk(session, name, flags);
    if (form !== undefined) {
      await askReissue(session, { form, wish, seconds });
      return;
    }
    const changed = await patch(session, { target: 'Key', name }, body);
    await reportWrite(session, API_KEYS, changed, 'asked to rotate');
    const outcomeOf = outcomeOfRotation(requestId);
    await awaitObject(session, { resource: API_KEYS, name, seconds, outcomeOf });
  });
}

/** The form by which new values must be asked for; undefined: the key itself may be asked. */
async function formToAsk(session: Session, name: string, flags: Flags): Promise<Form | undefined> {
  const { client, namespace } = session;
  // Parser: the API server answers for the objects it sends.
  const key = (await client.get(API_KEYS, { namespace, name })) as Key | undefined;
  if (key === undefined) throw absent('key', { namespace, name });
  const formName = key.spec.applicationRef?.name;
  if (formName === undefined) {
    refuseWordsOfForms(flags);
    return undefined;
  }
  const form = await formOf(session, { namespace, name: formName });
  const store = await storeFor(session, storeOf(form.spec), namespace);
  return placeOfRotation(flags, store) === 'Form' ? form : undefined;
}

async function askReissue(
  session: Session,
  asked: {
    readonly form: Form;
    readonly wish: ReissueWish;
    readonly seconds: number | undefined;
  },
): Promise<void> {
  const { client, namespace, writing, output } = session;
  const { form, wish, seconds } = asked;
  const ref = { namespace, name: form.metadata.name };
  const { username } = await client.whoami();
  const body = reissuePatch(form, wish, username);
  const changed = await client.patch(API_KEY_APPLICATIONS, ref, { body, writing });
  if (changed === undefined) throw absent('application', ref);
  await reportWrite(session, API_KEY_APPLICATIONS, changed, 'asked for new values');
  output.note('where the store has it reviewed the key goes on as it is until the decision\n');
  if (seconds === undefined || writing === 'Only check') return;
  const watched = { resource: API_KEY_APPLICATIONS, ref, outcomeOf: outcomeOfForm };
  const { code } = await waitFor<Form>(session, watched, seconds);
  endWith(code);
}

/** `keyward suspend|resume|revoke NAME...` */
export async function runSwitch(
  flags: Flags,
  names: readonly string[],
  wanted: Switch,
): Promise<void> {
  refuseWordsOfReviews(flags);
  const seconds = waitSeconds(flags);
  await withSession(flags, (session) =>
    eachOf(names, (text) =>
      flags['review'] === true
        ? decide(session, { text, wanted, flags, seconds })
        : edit(session, { text, wanted, seconds }),
    ),
  );
}

type Wish = {
  readonly text: string;
  readonly wanted: Switch;
  readonly seconds: number | undefined;
};

/** As whoever may edit the object; an edit can undo it again, unless it is final. */
async function edit(session: Session, { text, wanted, seconds }: Wish): Promise<void> {
  const at = parseTarget(text);
  const changed = await patch(session, at, switchPatch(at.target, wanted));
  await reportWrite(session, RESOURCES[at.target], changed, wanted.toLowerCase());
  if (wanted === 'Resumed') session.output.note(`${STANDS}\n`);
  const outcomeOf = outcomeOfSwitch(wanted);
  await awaitObject(session, { resource: RESOURCES[at.target], name: at.name, seconds, outcomeOf });
}

/** As a reviewer: the decision stands above the spec. */
async function decide(
  session: Session,
  { text, wanted, seconds, flags }: Wish & { readonly flags: Flags },
): Promise<void> {
  const { target, name } = parseTarget(text);
  const { client, namespace } = session;
  const said = saidBy(flags, wanted);
  const found = await client.get(RESOURCES[target], { namespace, name });
  if (found === undefined) throw absent(target.toLowerCase(), { namespace, name });
  const field = target === 'Key' ? 'apiKeyRef' : 'clientRef';
  const { metadata } = found;
  const draft = targetDecision({ field, metadata }, said, reviewSuffix());
  await createReview(session, reviewedBy(draft, await client.whoami()), seconds);
}

async function patch(
  { client, namespace, writing }: Session,
  { target, name }: { readonly target: SwitchTarget; readonly name: string },
  body: object,
): Promise<KubeObject> {
  const changed = await client.patch(RESOURCES[target], { namespace, name }, { body, writing });
  if (changed !== undefined) return changed;
  throw absent(target.toLowerCase(), { namespace, name });
}

async function awaitObject<O extends Key | Client>(
  session: Session,
  wanted: {
    readonly resource: Resource;
    readonly name: string;
    readonly seconds: number | undefined;
    readonly outcomeOf: (object: O) => Outcome;
  },
): Promise<void> {
  const { resource, name, seconds, outcomeOf } = wanted;
  if (seconds === undefined || session.writing === 'Only check') return;
  const ref = { namespace: session.namespace, name };
  const { code } = await waitFor<O>(session, { resource, ref, outcomeOf }, seconds);
  endWith(code);
}

function overlapOf(flags: Flags): number | undefined {
  const { overlapSeconds } = flags;
  if (typeof overlapSeconds !== 'string') return undefined;
  if (/^\d{1,8}$/.test(overlapSeconds)) return Number(overlapSeconds);
  throw usageError(`--overlap-seconds takes a whole number, not '${overlapSeconds}'`);
}
