/** What all plans share: kinds, an account, programs and a master key. */
import { execFileSync } from 'node:child_process';
import { build } from 'esbuild';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleIn } from '../../bench/program.ts';
import type { Access } from '../../control-plane/access.ts';
import { installKeyward } from '../../control-plane/install.ts';
import type { Postgres } from '../../control-plane/postgres.ts';
import { sleep, systemClock } from '../../src/kernel/clock.ts';
import { SECOND_MS } from '../../src/kernel/time.ts';
import { awkwardCrds } from '../support/awkward/crds.ts';
import { TestApi } from '../support/operator.api.ts';
import { employ } from '../support/crowd.ts';
import { provePolicies } from './proof.ts';
import type { Rig } from './rig.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ACCOUNT = 'keyward-operator-crash';

/** See the file comment. */
export async function prepare({
  access,
  folder,
  postgres,
  watchdog,
}: {
  readonly access: Access;
  readonly folder: string;
  readonly postgres: Postgres | undefined;
  readonly watchdog: Rig['watchdog'];
}): Promise<Rig> {
  await installKeyward(access);
  for (const [file, text] of awkwardCrds()) {
    writeFileSync(join(folder, file), text);
    const apply = ['apply', '--server-side', '--force-conflicts', '-f', join(folder, file)];
    // One after the other: kubectl is the slow part.
    // oxlint-disable-next-line no-await-in-loop
    await access.mustKubectl(apply);
  }
  const kubeconfig = await access.kubeconfigFor('keyward-system', ACCOUNT);
  const subject = `--serviceaccount=keyward-system:${ACCOUNT}`;
  const binding = ['create', 'clusterrolebinding', ACCOUNT, '--clusterrole=keyward-operator'];
  await access.mustKubectl([...binding, subject]);
  // In its own namespace it forges forms and reviews, which must be refused.
  const own = ['create', 'rolebinding', ACCOUNT, '-n', 'keyward-system', '--role=keyward-operator'];
  await access.mustKubectl([...own, subject]);
  const proof = await provePolicies(kubeconfig);
  const { entry: program } = await bundleIn(folder);
  const masterKeyFile = join(folder, 'master-key');
  execFileSync(process.execPath, [program, 'master-key', 'create', masterKeyFile], {
    stdio: 'ignore',
  });
  const api = await TestApi.open(access.adminKubeconfig);
  await employ(api);
  const testProgram = await buildTestProgram(join(folder, 'program'));
  // Instants of objects are whole seconds: one more, so that the first form is covered.
  await sleep(systemClock, Math.max(0, proof.sinceMs + SECOND_MS - systemClock.nowMs()));
  const token = /"?token"?: "?([^"\s]+)/.exec(readFileSync(kubeconfig, 'utf8'))?.[1] ?? '';
  return {
    api,
    server: new URL(access.url),
    ca: readFileSync(access.caFile, 'utf8'),
    token,
    account: ACCOUNT,
    folder,
    program,
    testProgram,
    masterKeyFile,
    postgres,
    watchdog,
    proof,
  };
}

/** The program with the driver of class O that only the tests have; bundled, because it starts often. */
async function buildTestProgram(outdir: string): Promise<string> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      keyward: 'test/support/awkward/keyward.ts',
      'ledger-worker': 'src/ledger/sqlite/worker.ts',
      'ledger-useworker': 'src/ledger/sqlite/useworker.ts',
    },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return join(outdir, 'keyward.js');
}
