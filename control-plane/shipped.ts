/** The gateway configurations that we ship, word for word, with other ports: several run side by side. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'deploy', 'gate');
/** Ports as they stand in the files. */
const SHIPPED = { gateway: 8000, gate: 8180, grpc: 8190, api: 8080 };
/** Stands before lines of nginx's file that are for `--key-query`. */
const QUERY_MARK = '#query# ';

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
 * @param query `Query`: with the lines for a key in the query
 */
export async function readShipped(
  file: string,
  ports: Ports,
  query: 'Query' | 'NoQuery' = 'NoQuery',
): Promise<string> {
  const text = await readFile(join(FOLDER, file), 'utf8');
  return withPorts(query === 'Query' ? text.replaceAll(QUERY_MARK, '') : text, ports);
}

function withPorts(text: string, { gateway, gate, grpc = gate, api }: Ports): string {
  return text
    .replaceAll(/(127\.0\.0\.1:|port_value: )8180\b/g, `$1${gate}`)
    .replaceAll(/(127\.0\.0\.1:|port_value: )8190\b/g, `$1${grpc}`)
    .replaceAll(/(127\.0\.0\.1:|port_value: )8080\b/g, `$1${api}`)
    .replaceAll(`listen ${SHIPPED.gateway}`, `listen 127.0.0.1:${gateway}`)
    .replaceAll(`http://:${SHIPPED.gateway} {`, `http://:${gateway} {\n\tbind 127.0.0.1`)
    .replaceAll(`bind :${SHIPPED.gateway}`, `bind 127.0.0.1:${gateway}`)
    .replaceAll(
      `address: 0.0.0.0, port_value: ${SHIPPED.gateway}`,
      `address: 127.0.0.1, port_value: ${gateway}`,
    );
}
