/** Bodies: how long one is, and reading one up to a bound. */
import type { IncomingMessage } from 'node:http';
import { isName } from '../reading/names.ts';
import { BODY_BYTES_MAX } from './limits.ts';

/**
 * Bytes of the body as declared: 0 where there is none, Infinity where only its end tells. Doubtful:
 * a coding besides `chunked`, or one in HTTP/1.0, which servers on the way may understand differently.
 */
export function declaredLength(req: IncomingMessage): number | 'Doubtful' {
  const { rawHeaders } = req;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    // Node refuses both at once, and two lengths.
    if (isName(name, 'content-length')) return Number(rawHeaders[i + 1]);
    if (isName(name, 'transfer-encoding')) {
      const isPlain = rawHeaders[i + 1]?.toLowerCase() === 'chunked' && req.httpVersionMinor === 1;
      return isPlain ? Infinity : 'Doubtful';
    }
  }
  return 0;
}

/**
 * The whole body; TooLong as soon as it exceeds the bound, and then the connection must be closed.
 * Gone: the client left before its end.
 */
export function readBody(req: IncomingMessage): Promise<Buffer | 'TooLong' | 'Gone'> {
  const { promise, resolve } = Promise.withResolvers<Buffer | 'TooLong' | 'Gone'>();
  const chunks: Buffer[] = [];
  let length = 0;
  const take = (chunk: Buffer): void => {
    length += chunk.length;
    if (length <= BODY_BYTES_MAX) {
      chunks.push(chunk);
      return;
    }
    req.off('data', take);
    resolve('TooLong');
  };
  req.on('data', take);
  req.once('end', () => resolve(Buffer.concat(chunks)));
  req.once('error', () => resolve('Gone'));
  req.once('close', () => resolve('Gone'));
  return promise;
}
