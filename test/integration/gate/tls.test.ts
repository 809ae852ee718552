/** TLS between a real nginx, as we ship it, and the gate: who cannot prove who he is gets no call through. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, issue, type Issued } from '../../../control-plane/certificates.ts';
import { Books } from '../../support/gate.books.ts';
import { shown } from '../../support/gate.call.ts';
import { GATEWAYS, GateSite, type Front } from '../../support/gate.site.ts';
import { eventually } from '../../support/eventually.ts';

const NAME = 'keyward-gate';
/** Certificates live for ten years here. */
const LONG_AGO_MS = Date.now() - 11 * 365 * 86_400_000;
const CALLS = 4;

describe.skipIf(!GATEWAYS.nginx)('nginx: a gate that serves TLS', () => {
  const authority = createAuthority('ours', Date.now());
  const server = { commonName: NAME, dnsNames: [NAME], usage: 'server' } as const;
  const good = issue(authority, server, Date.now());
  let folder: string;
  let site: GateSite;
  let front: Front;
  let value: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyward-tls-'));
    await chmod(folder, 0o755);
    await write('keyward-ca.crt', authority.certificatePem);
    const client = issue(authority, { commonName: 'nginx', usage: 'client' }, Date.now());
    await write('keyward-client.crt', client.certificatePem);
    await write('keyward-client.key', client.privateKeyPem);
    await serve(good);
    const flags = [
      `--tls-cert=${join(folder, 'gate.crt')}`,
      `--tls-key=${join(folder, 'gate.key')}`,
      `--tls-client-ca=${join(folder, 'keyward-ca.crt')}`,
      '--unlisted=allow',
    ];
    site = await GateSite.open({ flags, parts: ['tls', 'client'], certificates: folder });
    value = Books.valueOf(await site.books.key({ name: 'over-tls' }));
    await site.startGate();
    front = await site.front('nginx');
  }, 120_000);
  afterAll(async () => {
    await site.close();
    await rm(folder, { recursive: true, force: true });
  });

  function write(name: string, text: string): Promise<void> {
    return writeFile(join(folder, name), text, { mode: 0o644 });
  }

  async function serve({ certificatePem, privateKeyPem }: Issued): Promise<void> {
    await write('gate.crt', certificatePem);
    await write('gate.key', privateKeyPem);
  }

  async function statuses(): Promise<readonly number[]> {
    const seen = [];
    for (let at = 0; at < CALLS; at += 1) {
      seen.push((await front.call({ headers: shown(value) })).status);
    }
    return seen;
  }

  async function untilLetIn(): Promise<number> {
    return eventually(async () => {
      const { status } = await front.call({ headers: shown(value) });
      if (status !== 200) throw new Error(`${status}`);
      return status;
    });
  }

  test('lets honest callers in when both sides prove who they are', async () => {
    expect(await untilLetIn()).toBe(200);
  });

  test.each<[string, Issued]>([
    ['whose certificate has expired', issue(authority, server, LONG_AGO_MS)],
    ['of another authority', issue(createAuthority('theirs', Date.now()), server, Date.now())],
    [
      'of another name',
      issue(authority, { ...server, commonName: 'x', dnsNames: ['other'] }, Date.now()),
    ],
  ])('fail closed: a gate %s is believed by nobody, and again with a good one', async (_, bad) => {
    await serve(bad);
    await site.startGate();
    site.api.forget();
    expect(await statuses()).toEqual([503, 503, 503, 503]);
    expect(site.api.arrivals).toEqual([]);
    await serve(good);
    // Without a restart: the files are looked at now and then.
    expect(await untilLetIn()).toBe(200);
  });

  test('fail closed: a gate without TLS is believed by nobody', async () => {
    await site.startGate({ flags: ['--unlisted=allow'] });
    expect(await statuses()).toEqual([503, 503, 503, 503]);
    await site.startGate();
    expect(await untilLetIn()).toBe(200);
  });

  test('fail closed: whoever shows the gate no certificate of ours is not answered', async () => {
    const theirs = createAuthority('theirs', Date.now());
    const stranger = issue(theirs, { commonName: 'nginx', usage: 'client' }, Date.now());
    await write('keyward-client.crt', stranger.certificatePem);
    await write('keyward-client.key', stranger.privateKeyPem);
    const other = await site.front('nginx');
    const { status } = await other.call({ headers: shown(value) });
    expect(status).toBe(503);
  });
});
