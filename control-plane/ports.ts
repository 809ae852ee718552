/** Free loopback ports for servers that must come back on the same port after a restart. */
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/**
 * Below the range from which Linux and macOS take ports for outgoing connections. A port from that
 * range could be handed to a client while its server restarts, or a client that keeps dialling
 * could even connect to itself.
 */
const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 50;

/** One port that nobody listens on now. Somebody may take it before its server does: start again. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free loopback port found between ${FIRST} and ${LAST} in ${TRIES} tries`);
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once('error', () => resolve(false));
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  return promise;
}
