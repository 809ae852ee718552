/**
 * Who may read /metrics: the API server is asked whose token it is and whether that user may GET the
 * path /metrics, as the API server and other controllers guard theirs. Probes are not asked about.
 */
import { createHash } from 'node:crypto';
import { SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from '../api/names.ts';
import { TokenBucket } from '../kernel/bucket.ts';
import type { Clock } from '../kernel/clock.ts';
import { MINUTE_MS, SECOND_MS } from '../kernel/time.ts';
import type { KubeClient } from '../kube/port.ts';

/** May it be read? Unavailable: the API server could not be asked, which is a no. */
export type Admission = 'Allowed' | 'Unauthenticated' | 'Forbidden' | 'TooMany' | 'Unavailable';

/** Asked for each scrape with the header Authorization as it came. Never rejects. */
export type Admit = (authorization: string | undefined) => Promise<Admission>;

/** How long an answer is believed: a right that was taken away ends within a minute. */
const ALLOWED_MS = MINUTE_MS;
const REFUSED_MS = 10 * SECOND_MS;
/** Tokens that are remembered; Prometheus servers are few. */
const KNOWN_MAX = 64;
/** Longer ones are not even asked about. */
const TOKEN_CHARS_MAX = 8_192;
/** Questions to the API server, so that whoever tries tokens does not load it. */
const QUESTIONS = { burst: 10, perSecond: 2 };

type Known = { readonly answer: Promise<Admission>; untilMs: number; isAllowed: boolean };
type User = { username?: unknown; uid?: unknown; groups?: unknown; extra?: unknown };

/** Asks the API server, briefly remembering its answers; tokens themselves are not kept. */
export function delegatedAdmission(client: Pick<KubeClient, 'ask'>, clock: Clock): Admit {
  const known = new Map<string, Known>();
  const bucket = new TokenBucket(QUESTIONS, clock.monotonicMs());
  return async (authorization) => {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > TOKEN_CHARS_MAX) return 'Unauthenticated';
    const digest = createHash('sha256').update(token).digest('base64');
    const nowMs = clock.monotonicMs();
    const before = known.get(digest);
    if (before !== undefined && nowMs < before.untilMs) return before.answer;
    // Whoever may read goes on, however many others try tokens at that moment.
    const isAllowed = before?.isAllowed === true;
    if (!isAllowed && !bucket.take(nowMs)) return 'TooMany';
    const untilMs = nowMs + REFUSED_MS;
    const asked: Known = { answer: question(client, token), untilMs, isAllowed };
    known.delete(digest);
    known.set(digest, asked);
    makeRoom(known);
    const answer = await asked.answer;
    asked.isAllowed = answer === 'Allowed' || (answer === 'Unavailable' && isAllowed);
    if (answer === 'Allowed') asked.untilMs = nowMs + ALLOWED_MS;
    // What was not answered is asked again.
    if (answer === 'Unavailable') asked.untilMs = nowMs;
    return answer;
  };
}

/** The oldest goes first, those that may read last. */
function makeRoom(known: Map<string, Known>): void {
  if (known.size <= KNOWN_MAX) return;
  const [oldest] = known.keys();
  const victim = [...known].find(([, { isAllowed }]) => !isAllowed)?.[0] ?? oldest;
  if (victim !== undefined) known.delete(victim);
}

async function question(client: Pick<KubeClient, 'ask'>, token: string): Promise<Admission> {
  try {
    const user = await whose(client, token);
    if (user === undefined) return 'Unauthenticated';
    return (await mayRead(client, user)) ? 'Allowed' : 'Forbidden';
  } catch {
    // Whatever it was, its text could repeat what was sent.
    return 'Unavailable';
  }
}

/** Parser: each field is checked before it is used. */
async function whose(client: Pick<KubeClient, 'ask'>, token: string): Promise<User | undefined> {
  const answer = (await client.ask(TOKEN_REVIEWS, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: TOKEN_REVIEWS.kind,
    spec: { token },
  })) as { readonly status?: { readonly authenticated?: unknown; readonly user?: User } };
  const { authenticated, user } = answer.status ?? {};
  const isKnown = authenticated === true && typeof user?.username === 'string';
  return isKnown && user.username !== '' ? user : undefined;
}

/** Parser: each field is checked before it is used. */
async function mayRead(
  client: Pick<KubeClient, 'ask'>,
  { username, uid, groups, extra }: User,
): Promise<boolean> {
  const answer = (await client.ask(SUBJECT_ACCESS_REVIEWS, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: SUBJECT_ACCESS_REVIEWS.kind,
    spec: {
      user: username,
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups }),
      ...(extra === undefined ? {} : { extra }),
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    },
  })) as { readonly status?: { readonly allowed?: unknown; readonly denied?: unknown } };
  return answer.status?.allowed === true && answer.status.denied !== true;
}
