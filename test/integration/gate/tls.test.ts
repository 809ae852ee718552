/** TLS between real gateways, as we ship them, and the gate: who cannot prove who he is gets no call through. */
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

const BEHIND = ['nginx', 'envoy', 'envoy-grpc'] as const;
const ALL = CALLS * BEHIND.length;

describe.skipIf(!GATEWAYS.nginx || !GATEWAYS.envoy)('a gate that serves TLS', () => {
  const authority = createAuthority('ours', Date.now());
  const server = { commonName: NAME, dnsNames: [NAME], usage: 'server' } as const;
  const good = issue(authority, server, Date.now());
  let folder: string;
  let site: GateSite;
  let fronts: readonly Front[];
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
    fronts = await Promise.all(BEHIND.map((name) => site.front(name)));
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

  /** How many of some calls through each gateway were let in. */
  async function letIn(through = fronts): Promise<number> {
    let count = 0;
    for (let at = 0; at < CALLS; at += 1) {
      const answers = through.map((front) => front.call({ headers: shown(value) }));
      count += (await Promise.all(answers)).filter(({ status }) => status === 200).length;
    }
    return count;
  }

  function untilAllLetIn(): Promise<number> {
    return eventually(async () => {
      const count = await letIn();
      if (count < ALL) throw new Error(`${count} were let in`);
      return count;
    });
  }

  test('lets honest callers in when both sides prove who they are', async () => {
    expect(await untilAllLetIn()).toBe(ALL);
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
    expect(await letIn()).toBe(0);
    expect(site.api.arrivals).toEqual([]);
    await serve(good);
    // Without a restart: the files are looked at now and then.
    expect(await untilAllLetIn()).toBe(ALL);
  });

  test('fail closed: a gate without TLS is believed by nobody', async () => {
    await site.startGate({ flags: ['--unlisted=allow'] });
    expect(await letIn()).toBe(0);
    await site.startGate();
    expect(await untilAllLetIn()).toBe(ALL);
  });

  test('fail closed: whoever shows the gate no certificate of ours is not answered', async () => {
    const theirs = createAuthority('theirs', Date.now());
    const stranger = issue(theirs, { commonName: 'nginx', usage: 'client' }, Date.now());
    await write('keyward-client.crt', stranger.certificatePem);
    await write('keyward-client.key', stranger.privateKeyPem);
    const strangers = await Promise.all(BEHIND.map((name) => site.front(name)));
    expect(await letIn(strangers)).toBe(0);
    expect(await letIn()).toBe(ALL);
  });
});
