/** Finds or makes everything the story needs, while there still is a network: minutes the first time. */
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ensureBinary, type Report } from '../control-plane/binaries.ts';
import { findNginx } from '../control-plane/gateways.ts';
import { imageArchitecture } from '../control-plane/node/image.ts';
import { findNodePrograms } from '../control-plane/node/programs.ts';
import { findPostgres } from '../control-plane/postgres.ts';
import { freePort } from '../control-plane/ports.ts';
import type { Flags } from './flags.ts';
import type { Settings } from './settings.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
const report: Report = (line) => console.log(line);

/** All of the settings but the folder, which is made last, so that a failure leaves none. */
export async function prepare(flags: Flags): Promise<Omit<Settings, 'workDir'>> {
  for (const name of CONTROL_PLANE) await ensureBinary(name, { report });
  const programs = await findNodePrograms(report);
  const helm = await ensureBinary('helm', { report });
  const nginx = await findNginx();
  if (nginx === undefined) throw new Error('the story needs nginx, and it cannot be had here');
  if (flags.database === 'postgres' && (await findPostgres()) === undefined) {
    throw new Error('the story needs PostgreSQL 15, and it cannot be had here');
  }
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return {
    programs,
    helm,
    nginx: { path: nginx.path, env: nginx.env },
    version,
    imageTar: flags.image === undefined ? await buildImage(version) : resolve(flags.image),
    chart: resolve(flags.chart ?? join(ROOT, 'charts', 'keyward')),
    keep: flags.keep,
    database: flags.database,
    outsidePort: await freePort(),
  };
}

async function buildImage(version: string): Promise<string> {
  report('npm run image');
  const { stdout } = await run(process.execPath, [join(ROOT, 'tools', 'image', 'main.ts')]);
  report(stdout.trimEnd());
  const tar = join(
    ROOT,
    'dist',
    'image',
    `keyward-${version}-linux-${imageArchitecture(process.arch)}.tar`,
  );
  await access(tar);
  return tar;
}
