/** What one verification costs: processor time of the gate against an nginx that answers 204 and nothing else. */
import { median } from '../figures.ts';
import { memory } from '../processes.ts';
import { type KeyDatabase, ORIGIN, PATH, readValues, SAMPLE } from './database.ts';
import { runGrpc } from './grpcload.ts';
import {
  type GateServer,
  type Rig,
  runWrk,
  type Server,
  startBare,
  startGate,
  startNginx,
} from './servers.ts';

/** One series: so many keys, several rounds. */
export type VerifyFigures = {
  readonly keys: number;
  /** Different keys that the load presents. */
  readonly presented: number;
  /** Microseconds per request, one per round. */
  readonly nginxMicros: readonly number[];
  /** Of a server of Node that decides nothing. */
  readonly bareMicros: readonly number[];
  readonly httpMicros: readonly number[];
  readonly grpcMicros: readonly number[];
  /**
   * Of the first request with each key, about; what it costs more is the reading of its record. Absent with
   * so few keys that this drowns in what a program does only once.
   */
  readonly firstMicros: number | undefined;
  /** Requests that were not let in, in all rounds; 0, or something is wrong. */
  readonly refused: number;
  readonly coldStartMs: number;
  /** When it is ready, and after all rounds. */
  readonly readyMiB: number;
  readonly warmMiB: number;
};

/** How it is asked for. */
export type VerifyOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Records that the gate keeps; absent: all that are asked for, so that the database rests. */
  readonly records?: number | undefined;
};

const HEADERS = `Origin=${ORIGIN}|X-Original-URI=${PATH}|X-Original-Method=GET|X-Real-IP=203.0.113.9`;

/** Rounds of nginx, Node's HTTP, the gate's and gRPC in turn, so that what the machine does meanwhile meets all three. */
export async function measureVerify(
  rig: Rig,
  database: KeyDatabase,
  keys: number,
  options: VerifyOptions,
): Promise<VerifyFigures> {
  const nginx = await startNginx(rig, 'nothing', NOTHING);
  const bare = await startBare(rig);
  const records = options.records ?? Math.max(keys, 2);
  const gate = await startGate(rig, database, [`--cache-records=${records}`]);
  try {
    const ready = await memory(gate.pid);
    const load = wrkLoad(rig, database, options);
    // Everything compiled, and each key of the sample read once: what is not in memory is another figure.
    const presented = Math.ceil(keys / Math.ceil(keys / SAMPLE));
    const enough = Math.min(presented, records);
    const warming = await warmUp(gate, () => load(gate, options.seconds), enough);
    await load(nginx, 1);
    await load(bare, 1);
    const nginxMicros: number[] = [];
    const bareMicros: number[] = [];
    const httpMicros: number[] = [];
    const grpcMicros: number[] = [];
    let refused = 0;
    for (let round = 0; round < options.rounds; round += 1) {
      nginxMicros.push((await load(nginx, options.seconds)).micros);
      bareMicros.push((await load(bare, options.seconds)).micros);
      const http = await load(gate, options.seconds);
      httpMicros.push(http.micros);
      const grpc = await grpcRound(gate, database, options);
      grpcMicros.push(grpc.micros);
      refused += http.refused + grpc.refused;
    }
    const warm = await memory(gate.pid);
    return {
      keys,
      presented,
      nginxMicros,
      bareMicros,
      httpMicros,
      grpcMicros,
      firstMicros: firstMicros(warming, median(httpMicros)),
      refused,
      coldStartMs: gate.startMs,
      readyMiB: ready.residentMiB,
      warmMiB: warm.residentMiB,
    };
  } finally {
    await Promise.all([gate, bare, nginx].map((server) => server.stop()));
  }
}

/** All requests until the records of all keys were read. */
type Warming = { readonly micros: number; readonly requests: number; readonly reads: number };

/** Runs of load within which the records of all keys have to be read. */
const WARMING_MAX = 60;

/**
 * Asks until so many records are in memory. Each run begins somewhere else in the list of keys.
 * @throws Error when they are not after `WARMING_MAX` runs
 */
async function warmUp(
  gate: GateServer,
  run: () => ReturnType<Load>,
  records: number,
): Promise<Warming> {
  let [micros, requests, cached] = [0, 0, 0];
  for (let round = 0; round < WARMING_MAX; round += 1) {
    const done = await run();
    micros += done.micros * done.requests;
    requests += done.requests;
    const page = await gate.metrics();
    cached = totalOf(page, 'keyward_gate_cached_credentials');
    if (cached < records) continue;
    return { micros, requests, reads: totalOf(page, 'keyward_gate_cache_misses_total') };
  }
  throw new Error(`the gate has ${cached} records in memory, and ${records} are presented to it`);
}

/** Fewer first requests than this tell nothing. */
const FIRST_MIN = 1_000;

/** What is left for the reads when all other requests have cost what they cost later. */
function firstMicros(
  { micros, requests, reads }: Warming,
  knownMicros: number,
): number | undefined {
  if (reads < FIRST_MIN) return undefined;
  return (micros - (requests - reads) * knownMicros) / reads;
}

const NOTHING = '  server { listen 127.0.0.1:PORT; location / { return 204; } }';

type Load = (
  server: Server,
  seconds: number,
) => Promise<{ readonly micros: number; readonly requests: number; readonly refused: number }>;

function wrkLoad(rig: Rig, { valuesFile }: KeyDatabase, { connections }: VerifyOptions): Load {
  return async (server, seconds) => {
    const before = await server.cpuSeconds();
    const path = '/auth/nginx';
    const run = await runWrk(rig, server, {
      path,
      valuesFile,
      headers: HEADERS,
      seconds,
      connections,
    });
    const spent = (await server.cpuSeconds()) - before;
    return { micros: (spent / run.requests) * 1e6, ...run };
  };
}

async function grpcRound(
  gate: GateServer,
  { valuesFile }: KeyDatabase,
  { seconds }: VerifyOptions,
): Promise<{ readonly micros: number; readonly refused: number }> {
  const values = await readValues(valuesFile, 10_000);
  const before = await gate.cpuSeconds();
  const { requests, refused } = await runGrpc(gate.grpcPort, values, seconds);
  const spent = (await gate.cpuSeconds()) - before;
  return { micros: (spent / requests) * 1e6, refused };
}

/** The chain that users have: nginx asks before each request, and serves a file when the answer is yes. */
export type ChainFigures = {
  /** Requests per second, one per round. */
  readonly staticRate: readonly number[];
  readonly gateRate: readonly number[];
};

/** The whole chain with the gate against the same chain with an answer that is always 204. */
export async function measureChain(
  rig: Rig,
  database: KeyDatabase,
  options: VerifyOptions,
): Promise<ChainFigures> {
  const nothing = await startNginx(rig, 'nothing', NOTHING);
  const gate = await startGate(rig, database);
  const toNothing = await startNginx(rig, 'chain', chain(nothing.port));
  const toGate = await startNginx(rig, 'chain', chain(gate.port));
  const rate = async (server: Server): Promise<number> => {
    const { requests, seconds } = await runWrk(rig, server, {
      path: PATH,
      valuesFile: database.valuesFile,
      headers: `Origin=${ORIGIN}`,
      seconds: options.seconds,
      connections: options.connections,
    });
    return requests / seconds;
  };
  try {
    const staticRate: number[] = [];
    const gateRate: number[] = [];
    await rate(toGate);
    for (let round = 0; round < options.rounds; round += 1) {
      staticRate.push(await rate(toNothing));
      gateRate.push(await rate(toGate));
    }
    return { staticRate, gateRate };
  } finally {
    await Promise.all([toGate, toNothing, gate, nothing].map((server) => server.stop()));
  }
}

/** As the configuration that is shipped, without what only matters for refusals. */
function chain(authPort: number): string {
  return `  upstream auth { server 127.0.0.1:${authPort}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:PORT;
    location / {
      auth_request /_auth;
      auth_request_set $key_id $upstream_http_x_keyward_key_id;
      return 200 "ok";
    }
    location /v1/ {
      auth_request /_auth;
      try_files /nothing @api;
    }
    location @api { return 200 "ok"; }
    location = /_auth {
      internal;
      proxy_pass http://auth/auth/nginx;
      proxy_pass_request_body off;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Real-IP $remote_addr;
    }
  }`;
}

/** Middle ratio of one list to another, round by round. */
export function ratio(values: readonly number[], to: readonly number[]): number {
  return median(values.map((value, at) => value / (to[at] ?? Number.NaN)));
}

/** Sum of a metric over its labels; 0 where it is not there. */
export function totalOf(page: string, name: string): number {
  return [...page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))]
    .map((match) => Number(match[1]))
    .reduce((sum, value) => sum + value, 0);
}
