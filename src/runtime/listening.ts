/** Listening on an address that a flag names, for the probes and for whatever else a process serves. */
import type { AddressInfo, Server } from 'node:net';
import { KeywardError } from '../kernel/errors.ts';
import { systemCode } from '../kernel/files.ts';

type Address = { readonly host: string | undefined; readonly port: number };

/** Host and port of HOST:PORT. Terminal InvalidAddress when the text is anything else. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new KeywardError('Terminal', {
      reason: 'InvalidAddress',
      message: `address '${text}' is not HOST:PORT`,
    });
  }
  const host = match[1] ?? match[2];
  return { host: host === '' ? undefined : host, port };
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not use that port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no host of that name',
};

/** Why a server cannot listen at `address`, and which flag names another one: Terminal AddressUnavailable. */
function addressUnavailable(address: string, flag: string, cause: unknown): KeywardError {
  const code = systemCode(cause) ?? '';
  return new KeywardError('Terminal', {
    reason: 'AddressUnavailable',
    message: `cannot listen on '${address}': ${WHY_NOT[code] ?? (code || 'unknown why')}; ${flag} takes another address`,
    cause,
  });
}

/**
 * Listens; the address that it really has, HOST:PORT. Rejects with Terminal InvalidAddress or
 * AddressUnavailable.
 *
 * @param flag that takes another address
 */
export async function listen(server: Server, text: string, flag: string): Promise<string> {
  const { host, port } = parseAddress(text);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, ...(host !== undefined && { host }) }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw addressUnavailable(text, flag, cause);
  }
  server.removeListener('error', reject);
  // Listening on a port, so it has an address of this form.
  const at = server.address() as AddressInfo;
  return at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
}
