/** Answers as the text that goes over the wire, for connections that are served without Node's HTTP. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HTTP_STATUS_TEXTS } from '../../kernel/nodehttp.ts';
import { SECOND_MS } from '../../kernel/time.ts';
import { headerLines, type Allowed } from '../decision.ts';
import type { Answer, Asker } from './answers.ts';

const YES: Readonly<Record<Asker, string>> = {
  Nginx: 'HTTP/1.1 204 No Content\r\n',
  Haproxy: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n',
  Proxy: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n',
};

/**
 * The head of a yes, without its end.
 *
 * @throws Error where a header cannot be written: it must not become two
 */
export function yesText(decision: Allowed, asker: Asker): string {
  const { quotaRemaining } = decision;
  const head = YES[asker] + (decision.lines ?? headerLines(decision.headers));
  return quotaRemaining === undefined
    ? head
    : `${head}X-Keyward-Quota-Remaining: ${quotaRemaining}\r\n`;
}

/**
 * Any answer.
 *
 * @param end the last lines of the head, with the empty one
 * @throws Error as `yesText`
 */
export function answerText({ status, headers, body = '' }: Answer, end: string): string {
  const line = `HTTP/1.1 ${status} ${HTTP_STATUS_TEXTS[status] ?? ''}\r\n`;
  return line + headerLines(headers) + end + body;
}

/** How long a last answer may take to leave. */
const LINGER_MS = 2 * SECOND_MS;

/** Writes the last answer of a connection and ends it, also where nobody fetches the answer. */
export function endWith(socket: Duplex, text: string): void {
  const destroy = (): void => void socket.destroy();
  socket.end(text, destroy);
  if (socket instanceof Socket) socket.setTimeout(LINGER_MS, destroy);
}
