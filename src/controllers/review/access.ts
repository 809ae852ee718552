/** Asks the API server what a reviewer may do, at this moment. */
import { SUBJECT_ACCESS_REVIEWS } from '../../api/names.ts';
import { KeywardError } from '../../kernel/errors.ts';
import type { KubeClient } from '../../kube/port.ts';
import { inWords, type Attributes, type Questions, type Rights, type Subject } from './rights.ts';

/** Long explanations of a cluster would crowd out the rest of a condition. */
const REASON_MAX = 300;

type Answer = { readonly isAllowed: boolean; readonly reason: string };

/**
 * The answers to all questions of one judgement. May be repeated; nothing is kept.
 *
 * @throws KeywardError where the server cannot be asked or its answer cannot be read: never a yes
 */
export async function askRights(
  client: Pick<KubeClient, 'ask'>,
  { subject, decide, probe, author }: Questions,
  signal: AbortSignal,
): Promise<Rights> {
  const ask = (attributes: Attributes) => askOne(client, subject, attributes, signal);
  // All at once: one answer after the other would be slower, and nearly everybody has the right.
  const [right, wildcard, ...authors] = await Promise.all([decide, probe, ...author].map(ask));
  if (right?.isAllowed !== true) return { mayDecide: false };
  const found = author.find((_, index) => authors[index]?.isAllowed === true);
  return {
    mayDecide: true,
    ...(wildcard?.isAllowed === true ? { wildcard: wildcard.reason } : {}),
    ...(found === undefined ? {} : { mayAuthor: inWords(found) }),
  };
}

async function askOne(
  client: Pick<KubeClient, 'ask'>,
  subject: Subject,
  attributes: Attributes,
  signal: AbortSignal,
): Promise<Answer> {
  const { user, uid, groups } = subject;
  const answer = await client.ask(
    SUBJECT_ACCESS_REVIEWS,
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: SUBJECT_ACCESS_REVIEWS.kind,
      spec: {
        user,
        ...(uid === undefined ? {} : { uid }),
        ...(groups === undefined ? {} : { groups }),
        resourceAttributes: attributes,
      },
    },
    { signal },
  );
  return readAnswer(answer);
}

/** Parser: each field is checked before it is used. */
function readAnswer(answer: unknown): Answer {
  const { status } = answer as {
    readonly status?: { allowed?: unknown; denied?: unknown; reason?: unknown };
  };
  if (typeof status?.allowed !== 'boolean') {
    throw new KeywardError('Transient', {
      reason: 'UnreadableAnswer',
      message: 'the API server did not say whether the reviewer may decide',
    });
  }
  const { allowed, denied, reason } = status;
  return {
    isAllowed: allowed && denied !== true,
    reason: typeof reason === 'string' ? reason.slice(0, REASON_MAX) : '',
  };
}
