/**
 * A way into an enclosure: a socket file is the same file on both sides of a network namespace, so
 * one listener on each side carries connections through it.
 */
import { connect, createServer, type ListenOptions, type NetConnectOpts } from 'node:net';

/** Ends the listening; connections that are open go on. */
export type CloseWindow = () => void;

/** Carries every connection to `from` on to `to`, until it is closed. Resolves when it listens. */
export function carry(from: ListenOptions, to: NetConnectOpts): Promise<CloseWindow> {
  const { promise, resolve, reject } = Promise.withResolvers<CloseWindow>();
  // One side may have said everything and still be listening.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...to, allowHalfOpen: true });
    // Either end may go at any time; the other one then has nobody to talk to.
    near.once('error', () => far.destroy());
    far.once('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.once('error', reject);
  server.listen(from, () => resolve(() => server.close()));
  // It is no reason to stay.
  server.unref();
  return promise;
}
