/** How fast a revocation is everywhere, and whether a quota holds while one of three gates is killed. */
import { Agent, request } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { systemEntropy } from '../../src/kernel/entropy.ts';
import { createMasterKeyText, parseKeyring } from '../../src/keys/keyring.ts';
import { type KeyDatabase, KeyWriter, type MadeKey, ORIGIN, PATH } from './database.ts';
import { type GateServer, type Rig, runWrk, startGate } from './servers.ts';
import { totalOf } from './verify.ts';

const GATES = 3;
const LIVE_KEYS = 1_000;
const GIVE_UP_MS = 30_000;

/** Milliseconds from the answer to the commit until each of three gates said no, all of them under load. */
export type RevocationFigures = { readonly lagsMs: readonly number[]; readonly loadRate: number };

/** Revokes keys one after the other while one of the gates is busy. */
export async function measureRevocation(
  rig: Rig,
  { times, url }: { readonly times: number; readonly url: string },
): Promise<RevocationFigures> {
  const { writer, database } = await smallDatabase(rig, 'revocation', url);
  const live = await writer.add(LIVE_KEYS);
  await writeFile(database.valuesFile, live.map(({ value }) => `${value}\n`).join(''));
  const doomed = await writer.add(times);
  const gates = await startGates(rig, database);
  const agent = new Agent({ keepAlive: true });
  const seconds = Math.ceil(times / 8) + 2;
  try {
    const load = runWrk(rig, gates[0] ?? fail(), {
      path: '/auth/nginx',
      valuesFile: database.valuesFile,
      headers: `Origin=${ORIGIN}|X-Original-URI=${PATH}|X-Original-Method=GET`,
      seconds,
      connections: 16,
    });
    const lagsMs: number[] = [];
    for (const { record, value } of doomed) {
      const open = await Promise.all(gates.map((gate) => ask(gate, value, agent)));
      if (open.some((status) => status !== 204)) throw new Error(`a live key got ${open.join()}`);
      await writer.put({ ...record, state: 'Revoked' });
      const committedMs = performance.now();
      lagsMs.push(
        ...(await Promise.all(gates.map((gate) => untilNo(gate, value, agent, committedMs)))),
      );
    }
    const { requests, seconds: took } = await load;
    return { lagsMs, loadRate: requests / took };
  } finally {
    agent.destroy();
    await Promise.all(gates.map((gate) => gate.stop()));
    await writer.close();
  }
}

/** Counted on the client's side: what was let in is what was let in. */
export type QuotaFigures = {
  readonly limit: number;
  readonly asked: number;
  readonly letIn: number;
  /** Requests to the database for leases, by the gates that lived. */
  readonly leaseWrites: number;
};

/** Three gates share a quota; one is killed while it hands uses out, and starts again. */
export async function measureQuota(
  rig: Rig,
  { limit, url }: { readonly limit: number; readonly url: string },
): Promise<QuotaFigures> {
  const { writer, database } = await smallDatabase(rig, 'quota', url);
  const [key] = await writer.add(1, { requests: limit, period: 'Lifetime', timeZone: 'UTC' });
  if (key === undefined) throw new Error('no key was made');
  const gates = await startGates(rig, database);
  const agent = new Agent({ keepAlive: true, maxSockets: 24 });
  let [asked, letIn] = [0, 0];
  const use = async (at: number): Promise<void> => {
    asked += 1;
    const status = await ask(gates[at % GATES] ?? fail(), key.value, agent).catch(() => 0);
    if (status === 204) letIn += 1;
  };
  try {
    await together(Math.floor(limit / 2), use);
    const killed = together(Math.floor(limit / 10), use);
    await gates[0]?.kill();
    await killed;
    gates[0] = await startGate(rig, database, FLAGS);
    await together(limit, use);
    const pages = await Promise.all(gates.map((gate) => gate.metrics()));
    const leaseWrites = pages
      .map((page) => totalOf(page, 'keyward_gate_quota_leases_total'))
      .reduce((sum, each) => sum + each, 0);
    return { limit, asked, letIn, leaseWrites };
  } finally {
    agent.destroy();
    await Promise.all(gates.map((gate) => gate.stop()));
    await writer.close();
  }
}

const FLAGS = ['--unlisted=deny'];
const IN_FLIGHT = 24;

async function together(count: number, use: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await use(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function startGates(rig: Rig, database: KeyDatabase): Promise<GateServer[]> {
  const gates: GateServer[] = [];
  for (let number = 0; number < GATES; number += 1)
    gates.push(await startGate(rig, database, FLAGS));
  return gates;
}

async function smallDatabase(
  rig: Rig,
  name: string,
  url: string,
): Promise<{ readonly writer: KeyWriter; readonly database: KeyDatabase }> {
  const masterKey = createMasterKeyText(systemEntropy);
  const masterKeyFile = join(rig.root, `${name}.master-key`);
  await writeFile(masterKeyFile, masterKey.revealText(), { mode: 0o600 });
  const writer = await KeyWriter.open(url, parseKeyring(masterKey));
  return {
    writer,
    database: { url, masterKeyFile, valuesFile: join(rig.root, `${name}.values`) },
  };
}

async function untilNo(
  gate: GateServer,
  value: MadeKey['value'],
  agent: Agent,
  committedMs: number,
): Promise<number> {
  while (performance.now() - committedMs < GIVE_UP_MS) {
    if ((await ask(gate, value, agent)) !== 204) return performance.now() - committedMs;
    await pause(1);
  }
  throw new Error('a revoked key was let in for half a minute');
}

function ask(gate: GateServer, value: string, agent: Agent): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const call = request(
    {
      host: '127.0.0.1',
      port: gate.port,
      path: '/auth/nginx',
      agent,
      headers: {
        'X-API-Key': value,
        'X-Original-URI': PATH,
        'X-Original-Method': 'GET',
        Origin: ORIGIN,
      },
    },
    (res) => {
      res.resume();
      res.once('end', () => resolve(res.statusCode ?? 0));
    },
  );
  call.once('error', reject);
  call.end();
  return promise;
}

function fail(): never {
  throw new Error('no gate is running');
}
