/** The records at the end: unbroken, and without a single value. */
import { readFile } from 'node:fs/promises';
import { expect } from '../expect.ts';
import type { Stage } from '../stage.ts';
import type { Step } from '../step.ts';

/** Each change is one entry, with the hash of the entry before. */
export const auditChain: Step = {
  title: 'Every change is in the audit chain',
  short: 'audit chain verified',
  async run(stage) {
    const { code, stdout, stderr } = await stage.keyward(['audit', 'verify']);
    expect('the chain is unbroken', code === 0 && stdout.includes('unbroken'), stdout + stderr);
    stage.findings.push(`audit chain: ${stdout.trim()}`);
    stage.screen.proof('no entry was changed or left out');
  },
};

/** Looks for the secret part of every value that any Secret of this run had. */
export const noLeaks: Step = {
  title: 'Values are in Secrets and nowhere else',
  short: 'no value outside Secrets',
  async run(stage) {
    const { screen, operator } = stage;
    const values = [...stage.values, ...(stage.vendor?.values ?? [])];
    const places: readonly Place[] = [
      ["the operator's log", () => readFile(operator.logFile)],
      ["the operator's metrics", () => page(new URL('/metrics', operator.metricsUrl))],
      ['objects of every kind, and events', () => objects(stage)],
      ['the database with its log', () => databaseFiles(stage)],
      ...logsOf(stage),
      ['what was printed here', () => Promise.resolve(Buffer.from(screen.text))],
    ];
    stage.findings.push(`${values.length} values, none outside Secrets`);
    for (const [place, read] of places) {
      const bytes = await read();
      const found = values.filter((value) => bytes.includes(value.reveal())).length;
      expect(`no value in ${place}`, found === 0, `${found} of ${values.length} values`);
      const size = `${Math.ceil(bytes.length / 1_024)} KiB`;
      screen.proof(`none of ${values.length} values in ${place} (${size})`);
    }
  },
};

type Place = readonly [string, () => Promise<Buffer>];

function logsOf({ chain }: Stage): readonly Place[] {
  return chain === undefined ? [] : [['the logs of gate and nginx', () => chain.logs()]];
}

async function objects(stage: Stage): Promise<Buffer> {
  const kinds =
    'apikeys,apikeyapplications,apikeyreviews,apiclients,apiproducts,keystores,clusterkeystores,events';
  return Buffer.from(await stage.ask(['get', kinds, '-o', 'yaml', '--show-managed-fields']));
}

async function databaseFiles(stage: Stage): Promise<Buffer> {
  // A server may remove a file of its log while we read.
  const none = Buffer.alloc(0);
  const paths = await stage.database.files();
  return Buffer.concat(await Promise.all(paths.map((path) => readFile(path).catch(() => none))));
}

async function page(url: URL): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}
