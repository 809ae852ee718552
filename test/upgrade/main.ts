/**
 * `npm run upgrade`: keys that an older build made, in the hands of this one. Nothing may change: no value,
 * no keyId, no call that changes something at a vendor. Then the way back.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countOf, readOrExplain } from '../../tools/flags.ts';
import { NaverFake } from '../../fakes/naver/fake.ts';
import { installKeyward } from '../../control-plane/install.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/start.ts';
import { eventually } from '../support/eventually.ts';
import { GateProcess } from '../support/gate.process.ts';
import { requestsOf, writesIn } from '../support/operator.audit.ts';
import { OperatorProcess } from '../support/operator.ts';
import { Site } from '../support/operator.site.ts';
import { VendorSite } from '../support/vendor.site.ts';
import { Caller } from '../soak/calls.ts';
import { buildOf, forget, thisBuild, type Build } from './checkout.ts';
import { changed, makeKeys, printsOf, valuesOf } from './keys.ts';

const USAGE = `npm run upgrade [-- options]

Keys are issued by the build of another commit; then this checkout's kinds, policies, roles and program take
over, and a gate of this build is asked about every value. Fails when a value, a keyId or something at the
vendor changed.

  --from REF   commit, branch or tag of the older build (HEAD~1)
  --keys N     keys, one in 25 of them at a vendor (1000)
`;
/** Calls that change nothing at the vendor. */
const READS: ReadonlySet<string> = new Set(['read', 'list', 'search', 'detail', 'productKeys']);

const flags = readOrExplain(USAGE, readFlags);
if (flags.help) console.log(USAGE);
else process.exitCode = await upgrade(flags.from, flags.keys);

function readFlags() {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: 'HEAD~1' },
      keys: { type: 'string', default: '1000' },
      help: { type: 'boolean', default: false },
    },
  });
  return { ...values, keys: countOf('--keys', values.keys) };
}

async function upgrade(from: string, count: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'keyward-upgrade-'));
  const fake = new NaverFake();
  let controlPlane: ControlPlane | undefined;
  let site: Site | undefined;
  try {
    const old = await buildOf(from, folder);
    const now = await thisBuild(folder);
    say(`from ${old.label} to ${now.label}`);
    controlPlane = await startControlPlane({ audit: true });
    await installKeyward(controlPlane, { root: old.root });
    await fake.start();
    site = await siteOn(controlPlane, { fake, build: old });
    await new VendorSite(fake, site).putStore('vendor');
    say(`issuing ${count} keys with the older build`);
    await site.start();
    await makeKeys(site, count);
    await site.operator.terminate();
    const before = await printsOf(site);
    const callsBefore = fake.calls.length;
    const writesBefore = (await writes(controlPlane, site)).length;
    say('upgrading kinds, roles, policies and the program');
    await installKeyward(controlPlane, { root: now.root });
    const operator = await run(site, now);
    await untilLookedAt(operator, count);
    const answers = await askGate(site, count);
    await operator.terminate();
    const wrong = changed(before, await printsOf(site));
    const acts = fake.calls.slice(callsBefore).filter(({ operation }) => !READS.has(operation));
    const later = (await writes(controlPlane, site)).slice(writesBefore);
    console.log(`keys: ${before.size}; changed: ${wrong.length}`);
    console.log(`changing calls to the vendor: ${acts.length}`);
    console.log(`values shown to a gate: ${answers.asked}; wrong answers: ${answers.wrong.length}`);
    console.log(`writes to the API server: ${later.length}${tally(later)}`);
    console.log(`the way back: ${await back(site, old)}`);
    for (const name of [...wrong, ...answers.wrong].slice(0, 10)) console.log(`  ${name}`);
    return wrong.length + acts.length + answers.wrong.length === 0 ? 0 : 1;
  } finally {
    await site?.close();
    await fake.stop();
    await controlPlane?.stop();
    forget(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

async function siteOn(
  controlPlane: ControlPlane,
  { fake, build }: { readonly fake: NaverFake; readonly build: Build },
): Promise<Site> {
  return Site.open({
    access: controlPlane,
    account: 'Own',
    program: build.program,
    flags: { 'endpoint-hosts': `Naver=${new URL(fake.address).host}` },
  });
}

async function run(site: Site, build: Build): Promise<OperatorProcess> {
  const operator = new OperatorProcess(site.flags(), {}, build.program);
  await operator.whenReady();
  return operator;
}

async function untilLookedAt(operator: OperatorProcess, count: number): Promise<void> {
  await eventually(async () => {
    const looked = await operator.metric('controller_runtime_reconcile_total', '"apikey"');
    const waiting = await operator.metric('workqueue_depth');
    if (looked < count || waiting > 0) throw new Error(`${looked} of ${count} keys looked at`);
  }, 300_000);
}

/** Shows every value to a gate of this build. */
async function askGate(
  site: Site,
  count: number,
): Promise<{ readonly asked: number; readonly wrong: readonly string[] }> {
  const keyFile = site.flags()['master-key-file'] ?? '';
  const gate = await GateProcess.start({
    database: site.database,
    keyFile,
    flags: ['--unlisted=allow'],
  });
  try {
    await gate.whenReady();
    const caller = new Caller(gate.httpPort);
    const wrong: string[] = [];
    const shown = await valuesOf(site, count);
    for (const { name, value, isGood } of shown) {
      // One after the other: a rate is not the question here.
      // oxlint-disable-next-line no-await-in-loop
      const status = await caller.ask(value);
      if ((status === 204) !== isGood) wrong.push(`${name}: the gate said ${status}`);
    }
    await caller.stop();
    return { asked: shown.length, wrong };
  } finally {
    await gate.stop();
  }
}

/** What the older build says of a database that this one has used. */
async function back(site: Site, old: Build): Promise<string> {
  const operator = new OperatorProcess(site.flags(), {}, old.program);
  const outcome = await Promise.race([
    operator.whenReady().then(
      () => 'the older build goes on',
      () => 'the older build refuses',
    ),
    operator.ended.then(() => 'the older build refuses'),
  ]);
  const words = `${operator.stderr}${operator.stdout}`.trim().split('\n').at(-1) ?? '';
  await operator.terminate();
  return outcome.endsWith('refuses') ? `${outcome}: ${words}` : outcome;
}

async function writes(controlPlane: ControlPlane, site: Site): Promise<readonly string[]> {
  const all = writesIn(await requestsOf(controlPlane.auditLog, site.user));
  return all.map(({ verb, resource, subresource }) => `${verb} ${resource}/${subresource}`);
}

function tally(list: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const one of list) counts.set(one, (counts.get(one) ?? 0) + 1);
  const parts = [...counts].map(([what, times]) => `${times} ${what}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function say(line: string): void {
  console.error(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${line}`);
}
