/**
 * `npm run bench:inbox`: how long `keyward inbox` takes while thousands of applications wait, and how
 * long commands take that ask no server. Prints figures; a busy machine is no failure.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countOf, readOrExplain } from '../tools/flags.ts';
import { accessTo, type Access } from '../control-plane/access.ts';
import { installKeyward } from '../control-plane/install.ts';
import { startControlPlane } from '../control-plane/start.ts';
import { readState } from '../control-plane/state.ts';
import { API_KEY_APPLICATIONS } from '../src/api/names.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/log.ts';
import { openAccess } from '../src/kube/auth.ts';
import { collectionPath, objectPath } from '../src/kube/paths.ts';
import { type HttpRequest, Transport } from '../src/kube/transport.ts';

const USAGE = `usage: npm run bench:inbox -- [options]
  --count N      applications that wait (5000)
  --runs N       runs of each command (10)
  --state FILE   a control plane that runs (node control-plane/cli.ts up --state FILE)
`;
const ROOT = join(import.meta.dirname, '..');
const BUILT = join(ROOT, 'dist', 'keyward.js');
const NAMESPACES = 10;
const WRITERS = 16;
const JSON_TYPE = 'application/json';
const WAITED_MS = 60_000;

const flags = readOrExplain(USAGE, readFlags);
if (flags.help) console.log(USAGE);
else await bench();

function readFlags() {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      count: { type: 'string', default: '5000' },
      runs: { type: 'string', default: '10' },
      state: { type: 'string' },
    },
  });
  const { help, count, runs, state } = values;
  return { help, count: countOf('--count', count), runs: countOf('--runs', runs), state };
}

async function bench(): Promise<void> {
  if (flags.state !== undefined) {
    await measure(accessTo(await readState(flags.state)));
    return;
  }
  const plane = await startControlPlane();
  try {
    await measure(plane);
  } finally {
    await plane.stop();
  }
}

async function measure(plane: Access): Promise<void> {
  await installKeyward(plane);
  await seed(plane, flags.count);
  const program = existsSync(BUILT) ? BUILT : join(ROOT, 'src', 'bin', 'keyward.ts');
  console.log(`${program}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`);
  const own = ['--kubeconfig', plane.adminKubeconfig];
  for (const args of [
    ['explain', 'Denied'],
    ['inbox', '--help'],
    ['inbox', ...own],
  ]) {
    const took: number[] = [];
    for (let run = 0; run < flags.runs; run += 1) {
      // One after the other: they would slow each other down.
      // oxlint-disable-next-line no-await-in-loop
      took.push(await timed(program, args));
    }
    const sorted = took.toSorted((a, b) => a - b);
    const [best = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
    console.log(
      `keyward ${args.filter((word) => !own.includes(word)).join(' ')}: median ${median} ms, best ${best} ms`,
    );
  }
}

async function timed(program: string, args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`keyward ${args.join(' ')} ended with ${code}`);
  return Math.round(performance.now() - startMs);
}

/** Forms of people that wait, with the status that the operator would have written. */
async function seed(plane: Access, count: number): Promise<void> {
  const admin = await open(plane.adminKubeconfig);
  const operator = await open(await plane.kubeconfigFor('keyward-system', 'keyward-operator'));
  const stamp = Date.now().toString(36);
  for (let n = 0; n < NAMESPACES; n += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await plane.mustKubectl(['create', 'namespace', `inbox-${stamp}-${n}`]);
  }
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) {
      const place = next;
      next += 1;
      const namespace = `inbox-${stamp}-${place % NAMESPACES}`;
      // oxlint-disable-next-line no-await-in-loop
      await seedOne({ admin, operator }, { namespace, name: `form-${place}` }, place);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  admin.close();
  operator.close();
}

async function seedOne(
  { admin, operator }: { readonly admin: Transport; readonly operator: Transport },
  ref: { readonly namespace: string; readonly name: string },
  place: number,
): Promise<void> {
  const form = {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: API_KEY_APPLICATIONS.kind,
    metadata: ref,
    spec: {
      clientRef: { name: 'shop' },
      purpose: 'Checkout creates payments and reads their state for customers. '.repeat(4),
      terms: { validity: { durationDays: 90 }, quota: { requests: 1000 } },
    },
  };
  const created = await send(
    admin,
    'POST',
    collectionPath(API_KEY_APPLICATIONS, ref.namespace),
    form,
  );
  const status = { ...(created as object), status: waiting(place) };
  await send(operator, 'PUT', `${objectPath(API_KEY_APPLICATIONS, ref)}/status`, status);
}

function waiting(place: number): object {
  const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+/, '');
  const submittedTime = time(Date.now() - place * WAITED_MS);
  const ready = { type: 'Ready', status: 'False', reason: 'PendingReview', message: 'waits' };
  return {
    observedGeneration: 1,
    state: 'Pending',
    applicant: { username: 'jin@example.com', source: 'Authenticated' },
    conditions: [{ ...ready, lastTransitionTime: submittedTime }],
    approvals: { required: 1, given: 0 },
    round: {
      number: 1,
      type: 'Issue',
      requestHash: `sha256:${'0'.repeat(64)}`,
      submittedTime,
      deadlineTime: time(Date.now() + 14 * 86_400_000),
      changes: [
        { field: 'terms.validity.durationDays', to: '90' },
        { field: 'terms.quota.requests', to: '1000' },
      ],
    },
  };
}

async function open(file: string): Promise<Transport> {
  const source = { kind: 'Kubeconfig', file } as const;
  const access = await openAccess({ clock: systemClock, log: silentLogger, source });
  return new Transport({ access, clock: systemClock, version: 'bench' });
}

async function send(
  transport: Transport,
  method: HttpRequest['method'],
  path: string,
  body: object,
): Promise<unknown> {
  const text = JSON.stringify(body);
  const answer = await transport.send({
    method,
    path,
    accept: JSON_TYPE,
    contentType: JSON_TYPE,
    body: text,
  });
  const value = JSON.parse(answer.body.toString()) as unknown;
  if (answer.head.status < 300) return value;
  throw new Error(`${method} ${path}: ${answer.head.status} ${JSON.stringify(value)}`);
}
