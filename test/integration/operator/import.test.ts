/**
 * Values that consumers hold already move in: brought on standard input, known to gates from then on,
 * written to the Secret, and printed, logged or stored by nobody.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_KEYS, EVENTS } from '../../../src/api/names.ts';
import type { KeyFormat } from '../../../src/keys/format.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { GateProcess } from '../../support/gate.process.ts';
import { foreignTexts } from '../../support/imports.ts';
import { findCanaries } from '../../support/operator.canary.ts';
import { runKeyward, type OperatorProcess } from '../../support/operator.ts';
import { condition, PLAIN, SEALED, Site } from '../../support/operator.site.ts';

const canaries = new Map<string, string>();
const sinks = new Map<string, Buffer>();
const operators: OperatorProcess[] = [];
let site: Site;
let gate: GateProcess;

beforeAll(async () => {
  site = await Site.open({ access: sharedControlPlane(), flags: { 'log-level': 'debug' } });
  operators.push(await site.start());
  const keyFile = join(site.folder, 'gate.key');
  await runKeyward(['keys', 'derive-gate', keyFile, ...masterKey()]);
  const flags = ['--unlisted=allow', '--log-level=debug'];
  gate = await GateProcess.start({ database: site.database, keyFile, flags });
  await gate.whenReady();
}, 120_000);

afterAll(async () => {
  await gate.stop();
  await site.close();
});

function masterKey(): readonly string[] {
  return [`--master-key-file=${join(site.folder, 'master.key')}`];
}

/** Values that must not be found anywhere; the public half of a pair is none. */
function values(format: KeyFormat = 'Opaque'): readonly string[] {
  const texts = foreignTexts(format);
  for (const text of format === 'KeyPair' ? texts.slice(1) : texts) {
    canaries.set(`value ${canaries.size}`, text);
  }
  return texts;
}

/** An ApiKey that waits. */
async function wait(name: string, spec: object = {}): Promise<void> {
  const { namespace } = site;
  const annotations = { 'keyward.dev/import': 'pending' };
  await site.api.create(API_KEYS, {
    metadata: { name, namespace, annotations },
    spec: { storeRef: PLAIN, ...spec },
  });
  await eventually(async () => {
    const message = condition(await site.key(name), 'Ready')?.message;
    expect(message).toBe(`it waits for keyward import - --apikey ${namespace}/${name}`);
  });
}

async function command(args: readonly string[], input: string) {
  const ran = await runKeyward([...args, `--database=${site.database}`, ...masterKey()], input);
  sinks.set(`keyward ${sinks.size} ${args.join(' ')}`, Buffer.from(ran.stdout + ran.stderr));
  return ran;
}

function bring(name: string, input: string, ...flags: readonly string[]) {
  return command(['import', '-', `--apikey=${site.namespace}/${name}`, ...flags], input);
}

async function asked(value: string): Promise<number> {
  const res = await fetch(`http://127.0.0.1:${gate.httpPort}/auth/nginx`, {
    headers: { 'X-API-Key': value, 'X-Original-URI': '/v1', 'X-Original-Method': 'GET' },
  });
  return res.status;
}

function untilAsked(value: string, status: number): Promise<void> {
  return eventually(async () => expect(await asked(value)).toBe(status));
}

describe('keyward import -', () => {
  test('a consumer notices nothing: the same value before, at the gate and in the Secret', async () => {
    const [value = ''] = values();
    await wait('web');
    expect(await asked(value)).toBe(401);
    const dry = await bring('web', `${value}\n`, '--dry-run');
    expect([dry.code, dry.stderr]).toEqual([0, expect.stringContaining('can be imported')]);
    expect(await asked(value)).toBe(401);
    const { code, stderr, stdout } = await bring('web', `${value}\n`);
    expect([code, stderr, stdout]).toEqual([0, expect.stringContaining(': imported\n'), '']);
    await untilAsked(value, 204);
    await site.until('web', 'Active');
    expect((await site.values('web'))['apiKey']).toBe(value);
    const again = await bring('web', value);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('imported before')]);
    const found = await command(['identify', '-'], value);
    expect(found.stdout).toContain(`ApiKey ${site.namespace}/web`);
    expect(found.stdout).toContain('works now');
    const audit = await runKeyward(['audit', 'list', `--database=${site.database}`]);
    expect(audit.stdout).toMatch(/command line: .*KeyImported/);
  });

  test('rotation gives a value of our own; the imported one overlaps and dies', async () => {
    const [value = ''] = values();
    await wait('rotated');
    await bring('rotated', value);
    await site.until('rotated', 'Active');
    await site.edit('rotated', { rotation: { requestId: 'r1', overlapSeconds: 3_600 } });
    await site.untilRotated('rotated', 'r1');
    const { apiKey = '', previousApiKey } = await site.values('rotated');
    expect([apiKey.slice(0, 3), previousApiKey]).toEqual(['kw_', value]);
    await untilAsked(apiKey, 204);
    expect(await asked(value)).toBe(204);
    await site.edit('rotated', { rotation: { requestId: 'r2', urgency: 'Emergency' } });
    await site.untilRotated('rotated', 'r2');
    await untilAsked(value, 401);
  });

  test('suspended, resumed and revoked as every other; a value that ended never comes back', async () => {
    const [primary = '', secondary = ''] = values('Dual');
    await wait('dual', { format: 'Dual' });
    await bring('dual', `${primary}\n${secondary}\n`);
    for (const value of [primary, secondary]) await untilAsked(value, 204);
    await site.edit('dual', { state: 'Suspended' });
    for (const value of [primary, secondary]) await untilAsked(value, 401);
    await site.edit('dual', { state: 'Active' });
    for (const value of [primary, secondary]) await untilAsked(value, 204);
    await site.remove('dual');
    await site.untilGone('dual');
    for (const value of [primary, secondary]) await untilAsked(value, 401);
    await wait('dual-again', { format: 'Dual' });
    const { code, stderr } = await bring('dual-again', `${primary}\n${secondary}\n`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('belonged, to another key')]);
    for (const value of [primary, secondary]) expect(await asked(value)).toBe(401);
  });

  test('many at once: each line has its outcome, and the whole may be given again', async () => {
    const names = ['bulk-0', 'bulk-1', 'bulk-2'];
    for (const name of names) await wait(name);
    await wait('bulk-pair', { format: 'KeyPair', storeRef: SEALED });
    const { namespace } = site;
    const lines = names.map((name) => ({ namespace, name, value: values()[0] ?? '' }));
    const [apiKey = '', apiSecret = ''] = values('KeyPair');
    const pair = { namespace, name: 'bulk-pair', apiKey, apiSecret };
    const [unused = ''] = values();
    const broken = [
      { namespace, name: 'nobody', value: unused },
      { namespace, name: unused.slice(0, 8).toLowerCase(), value: unused },
      { namespace, name: 'bulk-2', value: lines[0]?.value ?? '', terms: {} },
    ];
    const text = [...lines, pair, ...broken].map((each) => JSON.stringify(each));
    const input = [...text, `{"namespace":"${unused}`, '', '[]'].join('\n');
    const dry = await command(['import', '-', '--lines', '--dry-run'], input);
    expect([dry.code, dry.stdout.match(/can be imported/g)?.length]).toEqual([1, 4]);
    const first = await command(['import', '-', '--lines'], input);
    expect([first.code, first.stdout.match(/\timported$/gm)?.length]).toEqual([1, 4]);
    expect(first.stderr).toContain('5 lines were refused');
    const again = await command(['import', '-', '--lines'], input);
    expect(again.stdout.match(/\timported before$/gm)?.length).toBe(4);
    for (const { value } of lines) await untilAsked(value, 204);
    await site.until('bulk-pair', 'Active');
    expect(await site.values('bulk-pair')).toMatchObject({ apiKey, apiSecret });
  });

  test("refuses what is weak, doubled, somebody else's or in the wrong place", async () => {
    await wait('picky');
    const [value = ''] = values();
    const refused = async (input: string, why: string, ...flags: readonly string[]) => {
      const { code, stderr } = await bring('picky', input, ...flags);
      expect([code, stderr]).toEqual([1, expect.stringContaining(why)]);
    };
    await refused('changeme-changeme', '--allow-weak');
    await refused(`${value} `, 'visible ASCII');
    await refused(`${value}\n\n`, 'one on each line');
    await refused(`${value}\0`, 'visible ASCII');
    await refused(`\u00a0${value}`, 'visible ASCII');
    await refused('', 'holds no key');
    const { apiKey = '' } = await site.values('web');
    await refused(apiKey, 'to another key');
    await site.issue('ordinary');
    const { apiKey: ours = '' } = await site.values('ordinary');
    canaries.set('value of our own', ours);
    await refused(ours, 'layout');
    const inArguments = await runKeyward(['import', 'value']);
    expect([inArguments.code, inArguments.stderr]).toEqual([
      2,
      expect.stringContaining('never from arguments'),
    ]);
    const weak = await bring('picky', 'changeme-changeme', '--allow-weak');
    expect(weak.code).toBe(0);
    const audit = await runKeyward([
      'audit',
      'list',
      `--database=${site.database}`,
      '--output=json',
    ]);
    expect(audit.stdout).toMatch(/"weak": true/);
  });

  test.each(['1:before', '1:after', '2:before', '2:after'])(
    'an operator that dies at its commit %s imports once all the same',
    async (at) => {
      const name = `crash-${at.replace(':', '-')}`;
      const [value = ''] = values();
      await wait(name);
      await site.operator.terminate();
      const dying = new Promise<void>((resolve) => {
        void site
          .start({ 'crash-at-commit': at })
          .catch(() => undefined)
          .then(() => resolve());
      });
      const bringing = bring(name, value);
      await dying;
      const dead = site.operator;
      operators.push(dead);
      await Promise.race([dead.ended, bringing]);
      operators.push(await site.restart());
      // Nobody may have led for a while: then it is asked for once more, as the command says.
      const { code } = await bringing;
      const last = code === 0 ? code : (await bring(name, value)).code;
      expect(last).toBe(0);
      await untilAsked(value, 204);
      await site.until(name, 'Active');
      const { uid } = (await site.key(name)).metadata;
      const lines = await (await site.ledger()).auditLines({ limit: 100, uid });
      expect(lines.filter(({ action }) => action === 'KeyImported')).toHaveLength(1);
    },
    90_000,
  );
});

describe('no imported value', () => {
  test('stands in any output, log, object or file of the database', async () => {
    const { api, namespace, folder } = site;
    sinks.set('ApiKeys', Buffer.from(JSON.stringify(await api.list(API_KEYS, namespace))));
    sinks.set('events', Buffer.from(JSON.stringify(await api.list(EVENTS, namespace))));
    sinks.set('gate', Buffer.from(gate.said));
    operators.push(await site.restart());
    // What ended is erased from the log of the database a moment later.
    await site.operator.terminate();
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const isDatabase = name.startsWith('keyward.db') && !statSync(path).isDirectory();
      if (isDatabase) sinks.set(name, readFileSync(path));
    }
    expect(readdirSync(join(folder, 'keyward.db-requests'))).toEqual([]);
    for (const [index, { stdout, stderr }] of operators.entries()) {
      sinks.set(`operator ${index}`, Buffer.from(stdout + stderr));
    }
    expect(canaries.size).toBeGreaterThan(10);
    expect(sinks.size).toBeGreaterThan(20);
    expect(findCanaries(canaries, sinks)).toEqual([]);
  });
});
