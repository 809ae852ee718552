/** The gateway configurations that we ship, word for word, with other ports: several run side by side. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'deploy', 'gate');
/** Ports as they stand in the files. */
const SHIPPED = { gateway: 8000, gate: 8180, grpc: 8190, api: 9000 };
/** Parts of a file that stand there with a mark before each line, and what they are for. */
export type Part =
  /** A key in the query. */
  | 'query'
  /** Bodies are shown to the gate. */
  | 'body'
  /** The gate serves TLS. */
  | 'tls'
  /** The gate demands client certificates. */
  | 'client';

/** Where the parts listen on loopback. */
export type Ports = {
  readonly gateway: number;
  readonly gate: number;
  /** The gate's other port; absent: as `gate`. */
  readonly grpc?: number;
  readonly api: number;
};

/**
 * A file below deploy/gate, such as `nginx/keyward.conf`.
 *
 * @param parts that are to be in force
 */
export async function readShipped(
  file: string,
  ports: Ports,
  parts: readonly Part[] = [],
): Promise<string> {
  let text = await readFile(join(FOLDER, file), 'utf8');
  for (const part of parts) text = text.replaceAll(`#${part}# `, '');
  if (parts.includes('tls')) text = text.replaceAll('http://keyward_gate', 'https://keyward_gate');
  return withPorts(text, ports);
}

function withPorts(text: string, { gateway, gate, grpc = gate, api }: Ports): string {
  return text
    .replaceAll(/(127\.0\.0\.1:|port_value: )8180\b/g, `$1${gate}`)
    .replaceAll(/(127\.0\.0\.1:|port_value: )8190\b/g, `$1${grpc}`)
    .replaceAll(/(127\.0\.0\.1:|port_value: )9000\b/g, `$1${api}`)
    .replaceAll(`listen ${SHIPPED.gateway}`, `listen 127.0.0.1:${gateway}`)
    .replaceAll(`http://:${SHIPPED.gateway} {`, `http://:${gateway} {\n\tbind 127.0.0.1`)
    .replaceAll(`bind :${SHIPPED.gateway}`, `bind 127.0.0.1:${gateway}`)
    .replaceAll(
      `address: 0.0.0.0, port_value: ${SHIPPED.gateway}`,
      `address: 127.0.0.1, port_value: ${gateway}`,
    );
}
