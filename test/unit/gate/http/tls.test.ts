import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority, issue, type Issued } from '../../../../control-plane/certificates.ts';
import { openTls, type TlsFiles, type TlsMaterial } from '../../../../src/gate/http/tls.ts';
import { silentLogger, type LogFields, type Logger } from '../../../../src/kernel/log.ts';
import { FakeClock } from '../../../support/clock.ts';
import { ALLOWED, startGate } from './rawgate.ts';

const authority = createAuthority('servers', Date.now());
const clients = createAuthority('clients', Date.now());

function server(commonName: string): Issued {
  const asked = { commonName, usage: 'server', addresses: ['127.0.0.1'] } as const;
  return issue(authority, asked, Date.now());
}

let root: string;
let files: TlsFiles;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gate-tls-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(() => {
  count += 1;
  const mount = join(root, `mount-${count}`);
  files = { certFile: join(mount, 'tls.crt'), keyFile: join(mount, 'tls.key') };
});

/** As the kubelet does it: a new directory, and a link that is swapped for one to it. */
async function mountSecret(content: Readonly<Record<string, string>>): Promise<void> {
  const directory = await mkdtemp(join(root, 'version-'));
  const mount = join(root, `mount-${count}`);
  await mkdir(mount, { recursive: true });
  await symlink(directory, join(mount, '..data_tmp'));
  for (const [name, text] of Object.entries(content)) {
    await writeFile(join(directory, name), text);
    await symlink(join('..data', name), join(mount, name)).catch(() => undefined);
  }
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
}

const secretOf = (issued: Issued): Readonly<Record<string, string>> => ({
  'tls.crt': issued.certificatePem,
  'tls.key': issued.privateKeyPem,
});

type Shown = { readonly status: number | undefined; readonly servedBy: string };

/** One request on a connection of its own, and whose certificate was shown. */
function ask(address: string, client?: Issued): Promise<Shown> {
  const { promise, resolve, reject } = Promise.withResolvers<Shown>();
  const req = request(
    `https://${address}/auth/nginx`,
    {
      agent: false,
      ca: authority.certificatePem,
      headers: { 'X-API-Key': 'kw_1_2' },
      ...(client && { cert: client.certificatePem, key: client.privateKeyPem }),
    },
    (res) => {
      const { subject } = (res.socket as TLSSocket).getPeerCertificate();
      res.resume();
      res.on('end', () => resolve({ status: res.statusCode, servedBy: String(subject.CN) }));
    },
  );
  req.on('error', reject);
  req.end();
  return promise;
}

/** In TLS 1.3 the client learns of it after its own part of the handshake. */
const REFUSED = /certificate required|unknown ca|ECONNRESET|socket hang up|EPIPE|decrypt/i;

class RecordingLog implements Logger {
  readonly errors: (LogFields | undefined)[] = [];
  readonly debug = (): void => undefined;
  readonly info = (): void => undefined;
  readonly warn = (): void => undefined;
  with = () => this;
  error(_message: string, fields?: LogFields): void {
    this.errors.push(fields);
  }
}

describe('a gate with TLS', () => {
  test('shows the new certificate after its files were swapped, on the connections that follow', async () => {
    await mountSecret(secretOf(server('first')));
    await using gate = await startGate({ tls: files });
    expect(await ask(gate.address)).toEqual({ status: 204, servedBy: 'first' });
    await mountSecret(secretOf(server('second')));
    await gate.reloadTls();
    expect(await ask(gate.address)).toEqual({ status: 204, servedBy: 'second' });
  });

  test('goes on with the former certificate while the new files are broken, says so once, and heals', async () => {
    const log = new RecordingLog();
    const registry = new Registry();
    const first = server('first');
    await mountSecret(secretOf(first));
    await using gate = await startGate({ tls: files, log, registry });
    const second = server('second');
    const broken = [
      { ...secretOf(second), 'tls.key': first.privateKeyPem },
      { ...secretOf(second), 'tls.crt': 'no certificate' },
      { ...secretOf(second), 'tls.crt': '' },
    ];
    for (const content of broken) {
      await mountSecret(content);
      await gate.reloadTls();
      await gate.reloadTls();
      expect(await ask(gate.address)).toEqual({ status: 204, servedBy: 'first' });
    }
    expect(log.errors).toHaveLength(broken.length);
    expect(JSON.stringify(log.errors)).not.toContain('PRIVATE');
    expect(await registry.metrics()).toContain('keyward_gate_tls_loads_total{result="Failed"} 3');
    await mountSecret(secretOf(second));
    await gate.reloadTls();
    expect(await ask(gate.address)).toEqual({ status: 204, servedBy: 'second' });
  });

  test('goes on while its files are gone, and says so once', async () => {
    const log = new RecordingLog();
    await mountSecret(secretOf(server('first')));
    await using gate = await startGate({ tls: files, log });
    await rm(files.certFile);
    await gate.reloadTls();
    await gate.reloadTls();
    expect(await ask(gate.address)).toEqual({ status: 204, servedBy: 'first' });
    expect(log.errors).toHaveLength(1);
  });

  test('answers nobody without a client certificate of its authority, where it demands one', async () => {
    await mountSecret({ ...secretOf(server('first')), 'ca.crt': clients.certificatePem });
    const clientCaFile = files.certFile.replace('tls.crt', 'ca.crt');
    await using gate = await startGate({ tls: { ...files, clientCaFile } });
    const subject = { commonName: 'gateway', usage: 'client' } as const;
    const known = issue(clients, subject, Date.now());
    const unknown = issue(authority, subject, Date.now());
    expect(await ask(gate.address, known)).toMatchObject({ status: 204 });
    await expect(ask(gate.address)).rejects.toThrow(REFUSED);
    await expect(ask(gate.address, unknown)).rejects.toThrow(REFUSED);
    expect(gate.decider.calls).toHaveLength(1);
  });

  test('follows the authority of clients, too', async () => {
    const content = secretOf(server('first'));
    await mountSecret({ ...content, 'ca.crt': clients.certificatePem });
    const clientCaFile = files.certFile.replace('tls.crt', 'ca.crt');
    await using gate = await startGate({ tls: { ...files, clientCaFile } });
    const subject = { commonName: 'gateway', usage: 'client' } as const;
    const known = issue(clients, subject, Date.now());
    await mountSecret({ ...content, 'ca.crt': authority.certificatePem });
    await gate.reloadTls();
    await expect(ask(gate.address, known)).rejects.toThrow(REFUSED);
    await mountSecret({ ...content, 'ca.crt': 'nobody' });
    await gate.reloadTls();
    const newer = issue(authority, subject, Date.now());
    expect(await ask(gate.address, newer)).toMatchObject({ status: 204 });
  });

  test('does not start without usable files, instead of going without TLS', async () => {
    await expect(startGate({ tls: files })).rejects.toMatchObject({ reason: 'TlsFilesUnusable' });
    await mountSecret({ ...secretOf(server('first')), 'tls.key': 'none' });
    await expect(startGate({ tls: files })).rejects.toMatchObject({ reason: 'TlsFilesUnusable' });
  });

  test('does not understand plain HTTP', async () => {
    await mountSecret(secretOf(server('first')));
    await using gate = await startGate({ tls: files });
    gate.decider.decideNow = () => ALLOWED;
    await expect(fetch(`http://${gate.address}/auth/nginx`)).rejects.toThrow('fetch failed');
    expect(gate.decider.calls).toEqual([]);
  });
});

describe('the files', () => {
  test('are looked at every ten seconds until somebody stops it', async () => {
    await mountSecret(secretOf(server('first')));
    const clock = new FakeClock();
    const source = await openTls(files, { clock, log: silentLogger, report: () => undefined });
    const applied: TlsMaterial[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = source.follow((material) => {
      applied.push(material);
      resolve();
    });
    const second = server('second');
    await mountSecret(secretOf(second));
    clock.advance(10_000);
    await promise;
    expect(applied.map(({ cert }) => String(cert))).toEqual([second.certificatePem]);
    await expect.poll(() => clock.pendingTimers).toBe(1);
    stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
