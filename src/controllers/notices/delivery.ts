/** One attempt to deliver a notice, and what its answer means. */
import type { Sensitive } from '../../kernel/sensitive.ts';
import { MINUTE_MS, SECOND_MS } from '../../kernel/time.ts';
import { bodyOf, type Notice } from './message.ts';
import { signatureHeaders } from './signature.ts';

const TIMEOUT_MS = 10 * SECOND_MS;
/** A receiver may ask for a pause, up to this. */
const RETRY_AFTER_MAX_MS = 60 * MINUTE_MS;
/** Answers outside 2xx that say nothing about the notice itself. */
const LATER: ReadonlySet<number> = new Set([401, 403, 404, 407, 408, 425, 429]);

/** Where notices go. */
export type Receiver = {
  readonly url: URL;
  /** Read anew for each attempt, so that the file may change. */
  readonly secrets: () => Promise<readonly Sensitive[]>;
};

/**
 * Delivered: any 2xx. Later: the receiver cannot take anything now. Refused: it does not want this
 * notice. `status` absent: there was no answer.
 */
export type Delivery =
  | { readonly type: 'Delivered' }
  | { readonly type: 'Later'; readonly status?: number; readonly retryAfterMs?: number }
  | { readonly type: 'Refused'; readonly status: number };

/** Sends a notice once. May be repeated: receivers know repetitions by the id. */
export async function deliver(
  receiver: Receiver,
  notice: Notice,
  at: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<Delivery> {
  const body = bodyOf(notice);
  const signed = { id: notice.id, atMs: at.nowMs, body };
  const headers = signatureHeaders(await receiver.secrets(), signed);
  let answer: Response;
  try {
    answer = await fetch(receiver.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'keyward', ...headers },
      body,
      // Whoever answers with another address does not decide where our notices go.
      redirect: 'error',
      signal: AbortSignal.any([at.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch {
    return { type: 'Later' };
  }
  await answer.body?.cancel().catch(() => undefined);
  return meaningOf(answer, at.nowMs);
}

function meaningOf({ ok, status, headers }: Response, nowMs: number): Delivery {
  if (ok) return { type: 'Delivered' };
  if (status < 500 && !LATER.has(status)) return { type: 'Refused', status };
  const retryAfterMs = retryAfter(headers.get('retry-after'), nowMs);
  return { type: 'Later', status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** RFC 9110: seconds, or a date. */
function retryAfter(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  const wantedMs = /^\d+$/.test(text) ? Number(text) * SECOND_MS : Date.parse(text) - nowMs;
  return Number.isNaN(wantedMs) ? undefined : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, wantedMs));
}
