/**
 * Calls of an API as bytes: headers twice, odd targets and broken text go out as they stand, which no
 * polite client would do.
 */
import { connect } from 'node:net';

const LIMIT_MS = 20_000;

/** What is sent; only the port is needed. */
export type Outgoing = {
  readonly port: number;
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  /** Lines without their end: `X-API-Key: kw_...`. Bytes above 127 go out as Latin-1. */
  readonly headers?: readonly string[];
  /** Goes out as it is, behind the headers, which must announce it. */
  readonly body?: string;
};

/** What came back. Status 0: the connection ended without an answer that could be read. */
export type Answer = {
  readonly status: number;
  /** Small letters; the last one where there are several. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Makes a call on a connection of its own. Never rejects. */
export async function call({
  port,
  method = 'GET',
  target = '/v1/hello',
  host = 'api.example',
  headers = [],
  body = '',
}: Outgoing): Promise<Answer> {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...headers];
  return readAnswer(await exchange(port, `${lines.join('\r\n')}\r\n\r\n${body}`));
}

/** Sends these bytes and reads until the other side closes. Never rejects. */
export function exchange(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const parts: Buffer[] = [];
  const socket = connect({ port, host: '127.0.0.1', timeout: LIMIT_MS });
  const end = (): void => {
    socket.destroy();
    resolve(Buffer.concat(parts).toString('latin1'));
  };
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.once('timeout', end);
  socket.once('error', end);
  socket.once('close', end);
  socket.write(Buffer.from(text, 'latin1'));
  return promise;
}

/** The header lines of a call with this key from this site. */
export function shown(key: string, origin?: string): readonly string[] {
  return [`X-API-Key: ${key}`, ...(origin === undefined ? [] : [`Origin: ${origin}`])];
}

function readAnswer(text: string): Answer {
  const at = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, at === -1 ? undefined : at).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: at === -1 ? '' : text.slice(at + 4),
  };
}
