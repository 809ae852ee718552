/** From the manifest to the call: a real operator, a real gate beside it, a real nginx in front. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../control-plane/ports.ts';
import { startNginx } from '../../../control-plane/proxies.ts';
import type { Proxy } from '../../../control-plane/proxy.ts';
import { readShipped } from '../../../control-plane/shipped.ts';
import { SECRETS } from '../../../src/api/names.ts';
import { sharedControlPlane } from '../../support/controlplane.ts';
import { eventually } from '../../support/eventually.ts';
import { startEchoApi, type EchoApi } from '../../support/gate.api.ts';
import { call, shown } from '../../support/gate.call.ts';
import { GateProcess } from '../../support/gate.process.ts';
import { GATEWAYS } from '../../support/gate.site.ts';
import { runKeyward } from '../../support/operator.ts';
import { Site } from '../../support/operator.site.ts';

const HOLD = 'test.keyward.dev/hold';
const SITE = 'https://www.myservice.com';

let site: Site;
let gate: GateProcess;
let api: EchoApi;
let nginx: Proxy;
let port: number;

describe.skipIf(!GATEWAYS.nginx)('an operator, its gate and nginx', () => {
  beforeAll(async () => {
    site = await Site.open({
      access: sharedControlPlane(),
      flags: { 'quota-reread-seconds': '1' },
    });
    await site.start();
    api = await startEchoApi();
    port = await freePort();
    const keyFile = join(site.folder, 'gate.key');
    const masterKey = join(site.folder, 'master.key');
    const derived = await runKeyward([
      'keys',
      'derive-gate',
      keyFile,
      '--master-key-file',
      masterKey,
    ]);
    if (derived.code !== 0) throw new Error(derived.stderr);
    const flags = ['--unlisted=allow'];
    gate = await GateProcess.start({ database: site.database, keyFile, flags });
    await gate.whenReady();
    const ports = { gateway: port, gate: gate.httpPort, api: api.port };
    nginx = await startNginx(await readShipped('nginx/keyward.conf', ports), port);
  }, 120_000);

  afterAll(async () => {
    await nginx.stop();
    await gate.stop();
    await api.close();
    await site.close();
  });

  /** What nginx says to this value: a status, or the reason of a no. */
  async function said(value: string, origin?: string): Promise<string> {
    const { status, headers } = await call({ port, headers: shown(value, origin) });
    return headers['x-keyward-reason'] ?? String(status);
  }

  function untilSaid(value: string, expected: string, origin?: string): Promise<void> {
    return eventually(async () => expect(await said(value, origin)).toBe(expected));
  }

  test('R11 R84: what the Secret holds is let in from its site, not while it is suspended, and never once revoked', async () => {
    const terms = { originPolicy: { allowed: ['www.myservice.com'] } };
    await site.issue('sited', { terms });
    const { apiKey: value = '', keyId = '' } = await site.values('sited');
    await untilSaid(value, '200', SITE);
    expect(api.arrivals.at(-1)?.headers).toMatchObject({
      'x-keyward-key-id': [keyId],
      'x-keyward-namespace': [site.namespace],
      'x-keyward-name': ['sited'],
    });
    expect(await said(value, 'https://elsewhere.example')).toBe('OriginNotAllowed');
    await site.edit('sited', { state: 'Suspended' });
    await untilSaid(value, 'KeyDisabled', SITE);
    await site.edit('sited', { state: 'Active' });
    await untilSaid(value, '200', SITE);
    await site.edit('sited', { state: 'Revoked' });
    await eventually(async () => {
      expect(['KeyRevoked', 'InvalidKey']).toContain(await said(value, SITE));
    });
  });

  test('both values of a rotation are let in during the overlap, and the old one dies at its end', async () => {
    await site.issue('turning', { format: 'Dual' });
    const before = await site.values('turning');
    await untilSaid(before['apiKey'] ?? '', '200');
    await site.edit('turning', { rotation: { requestId: 'one', overlapSeconds: 3 } });
    await site.untilRotated('turning', 'one');
    const after = await site.values('turning');
    expect(after['apiKey']).not.toBe(before['apiKey']);
    await untilSaid(after['apiKey'] ?? '', '200');
    await eventually(async () => {
      expect(await said(before['apiKey'] ?? '')).not.toBe('200');
    });
    expect(await said(after['apiKey'] ?? '')).toBe('200');
  });

  test('a deleted key is dead at the gate while its Secret can still be read', async () => {
    await site.issue('going');
    const { apiKey: value = '' } = await site.values('going');
    await untilSaid(value, '200');
    const where = [site.namespace, 'going'] as const;
    await site.api.patch(SECRETS, where, { metadata: { finalizers: [HOLD] } });
    await site.remove('going');
    await eventually(async () => {
      expect(['KeyRevoked', 'InvalidKey']).toContain(await said(value));
    });
    expect(await site.secret('going')).toBeDefined();
    await site.api.patch(SECRETS, where, { metadata: { finalizers: null } });
    await site.untilGone('going');
  });

  test('R111 R112: a quota is used up exactly, and status says that nothing is left', async () => {
    await site.issue('counted', { terms: { quota: { requests: 4 } } });
    const { apiKey: value = '' } = await site.values('counted');
    const answers = [];
    await untilSaid(value, '200');
    for (let at = 0; at < 6; at += 1) answers.push(await said(value));
    const none = 'QuotaExceeded';
    expect(answers).toEqual(['200', '200', '200', none, none, none]);
    await eventually(async () => {
      expect((await site.key('counted')).status.quota).toEqual({ limit: 4, remaining: 0 });
    });
  });

  test('the gate goes on while the operator is away', async () => {
    await site.issue('steady');
    const { apiKey: value = '' } = await site.values('steady');
    await untilSaid(value, '200');
    await site.operator.kill();
    for (let at = 0; at < 5; at += 1) expect(await said(value)).toBe('200');
    await site.start();
    expect(await said(value)).toBe('200');
  });
});
