/**
 * A whole chain for a test file: books, the real gate as a process, an API, and real gateways in front
 * on the configurations that we ship. Everything is on loopback and gone at the end.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnvoy, startEnvoy } from '../../control-plane/envoy.ts';
import type { Proxy } from '../../control-plane/proxy.ts';
import { findCaddy, findHaproxy, findNginx } from '../../control-plane/gateways.ts';
import { freePort } from '../../control-plane/ports.ts';
import { startCaddy, startHaproxy, startNginx } from '../../control-plane/proxies.ts';
import { readShipped, type Part, type Ports } from '../../control-plane/shipped.ts';
import { createGateKeyText } from '../../src/keys/gatekey.ts';
import { parseKeyring } from '../../src/keys/keyring.ts';
import { startEchoApi, type EchoApi } from './gate.api.ts';
import { Books } from './gate.books.ts';
import { call, type Answer, type Outgoing } from './gate.call.ts';
import { GateProcess, type GateOptions } from './gate.process.ts';

/** Gateways that are run with the real program. */
export type GatewayName = 'nginx' | 'envoy' | 'envoy-grpc' | 'caddy' | 'haproxy';

/** A gateway in front of the API. */
export type Front = {
  readonly name: GatewayName;
  readonly port: number;
  /** Makes a call through it. */
  call(outgoing?: Omit<Outgoing, 'port'>): Promise<Answer>;
  stop(): Promise<void>;
  /** Folder of its files, logs included; absent: it keeps none that could be read. */
  readonly folder?: string;
};

/** What a chain is made of. */
export type GateSiteOptions = {
  /** Absent: a SQLite file in the folder. */
  readonly database?: string;
  /** More flags of the gate. */
  readonly flags?: readonly string[];
  /** Parts of the gateways' files that are to be in force; absent: none. */
  readonly parts?: readonly Part[];
  /** Folder in the place of /etc/nginx and /etc/envoy. */
  readonly certificates?: string;
};

/** Which of them can be had here. */
export const GATEWAYS: Readonly<Record<GatewayName, boolean>> = await findGateways();

/** See the file comment. */
export class GateSite {
  readonly folder: string;
  readonly books: Books;
  readonly api: EchoApi;
  readonly keyFile: string;
  readonly #options: GateSiteOptions;
  readonly #ports: Required<Omit<Ports, 'gateway'>>;
  readonly #fronts: Front[] = [];
  #gate: GateProcess | undefined;

  private constructor(parts: {
    readonly folder: string;
    readonly books: Books;
    readonly api: EchoApi;
    readonly ports: Required<Omit<Ports, 'gateway'>>;
    readonly options: GateSiteOptions;
  }) {
    this.folder = parts.folder;
    this.books = parts.books;
    this.api = parts.api;
    this.keyFile = join(parts.folder, 'gate-key');
    this.#ports = parts.ports;
    this.#options = parts.options;
  }

  /** Makes the books and the API; no gate runs yet, and no gateway. */
  static async open(options: GateSiteOptions = {}): Promise<GateSite> {
    const folder = await mkdtemp(join(tmpdir(), 'keyward-gate-'));
    const books = await Books.open(options.database ?? `sqlite://${join(folder, 'keyward.db')}`);
    const api = await startEchoApi();
    const ports = { gate: await freePort(), grpc: await freePort(), api: api.port };
    const site = new GateSite({ folder, books, api, ports, options });
    const keys = createGateKeyText(parseKeyring(books.masterKey));
    await writeFile(site.keyFile, keys.revealText(), { mode: 0o600 });
    return site;
  }

  /** The gate that runs now. */
  get gate(): GateProcess {
    if (this.#gate === undefined) throw new Error('no gate was started');
    return this.#gate;
  }

  get gatePort(): number {
    return this.#ports.gate;
  }

  /** Starts a gate at the port that gateways ask, after the one before; does not wait for it. */
  async launchGate(changes: Partial<GateOptions> = {}): Promise<GateProcess> {
    await this.#gate?.stop();
    this.#gate = await GateProcess.start({
      database: this.books.url,
      keyFile: this.keyFile,
      httpPort: this.#ports.gate,
      grpcPort: this.#ports.grpc,
      flags: this.#options.flags ?? [],
      ...changes,
    });
    return this.#gate;
  }

  /** As `launchGate`, and waits until it is ready. */
  async startGate(changes: Partial<GateOptions> = {}): Promise<GateProcess> {
    return (await this.launchGate(changes)).whenReady();
  }

  /** Puts a gateway in front, on the configuration that we ship. */
  async front(name: GatewayName): Promise<Front> {
    const gateway = await freePort();
    const proxy = await STARTS[name]({ ...this.#ports, gateway }, this.#options);
    const front: Front = {
      name,
      port: gateway,
      call: (outgoing = {}) => call({ ...outgoing, port: gateway }),
      stop: () => proxy.stop(),
      ...('folder' in proxy ? { folder: proxy.folder } : {}),
    };
    this.#fronts.push(front);
    return front;
  }

  /** Ends everything and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.#fronts.map((front) => front.stop()));
    await this.#gate?.kill();
    await this.api.close();
    await this.books.close().catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }
}

type Start = (
  ports: Ports,
  options: GateSiteOptions,
) => Promise<{ stop(): Promise<void>; readonly folder?: string }>;

const STARTS: Readonly<Record<GatewayName, Start>> = {
  nginx: async (ports, { parts, certificates = '' }) => {
    const text = await readShipped('nginx/keyward.conf', ports, parts);
    return startNginx(text.replaceAll('/etc/nginx/', `${certificates}/`), ports.gateway);
  },
  envoy: (ports, options) => startOnFile('envoy/http.yaml', ports, options),
  'envoy-grpc': (ports, options) => startOnFile('envoy/grpc.yaml', ports, options),
  caddy: async (ports) => startCaddy(await readShipped('caddy/Caddyfile', ports), ports.gateway),
  haproxy: async (ports) =>
    startHaproxy(
      await readShipped('haproxy/haproxy.cfg', ports),
      await readShipped('haproxy/keyward.lua', ports),
      ports.gateway,
    ),
};

async function startOnFile(
  file: string,
  ports: Ports,
  { parts, certificates = '' }: GateSiteOptions,
): Promise<Proxy> {
  const text = await readShipped(file, ports, parts);
  return startEnvoy(text.replaceAll('/etc/envoy/', `${certificates}/`), ports.gateway);
}

async function findGateways(): Promise<Record<GatewayName, boolean>> {
  const [nginx, envoy, caddy, haproxy] = await Promise.all([
    findNginx(),
    findEnvoy(),
    findCaddy(),
    findHaproxy(),
  ]).then((found) => found.map((each) => each !== undefined));
  const isThere = (it: boolean | undefined): boolean => it === true;
  return {
    nginx: isThere(nginx),
    envoy: isThere(envoy),
    'envoy-grpc': isThere(envoy),
    caddy: isThere(caddy),
    haproxy: isThere(haproxy),
  };
}
