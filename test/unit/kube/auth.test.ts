import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/kernel/log.ts';
import type { Access } from '../../../src/kube/access.ts';
import { openAccess } from '../../../src/kube/auth.ts';
import { parseKubeconfig } from '../../../src/kube/kubeconfig.ts';
import { FakeClock } from '../../support/clock.ts';
import { until } from './scriptedserver.ts';

let folder: string;
let clock: FakeClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyward-auth-'));
  clock = new FakeClock();
});

afterEach(() => rm(folder, { recursive: true }));

type Parts = { readonly cluster?: object; readonly user?: object; readonly context?: object };

function kubeconfig(parts: Parts = {}): string {
  return JSON.stringify({
    'current-context': 'one',
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u', ...parts.context } },
      { name: 'two', context: { cluster: 'c2', user: 'u' } },
    ],
    clusters: [
      { name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...parts.cluster } },
      { name: 'c2', cluster: { server: 'https://[::1]/k8s/' } },
    ],
    users: [{ name: 'u', user: parts.user ?? { token: 'abc' } }],
  });
}

async function open(parts: Parts = {}, unverifiedServer?: 'Accept'): Promise<Access> {
  const file = join(folder, 'config');
  await writeFile(file, kubeconfig(parts));
  const accept = unverifiedServer === undefined ? {} : { unverifiedServer };
  const source = { kind: 'Kubeconfig', file, ...accept } as const;
  return openAccess({ clock, log: silentLogger, source });
}

describe('a kubeconfig', () => {
  test('says where the server is, by the context that is chosen', () => {
    expect(parseKubeconfig(kubeconfig(), '/a/config').server).toEqual({
      host: '10.0.0.1',
      port: 6443,
      secure: true,
      basePath: '',
    });
    expect(parseKubeconfig(kubeconfig(), '/a/config', 'two').server).toMatchObject({
      host: '::1',
      port: 443,
      basePath: '/k8s',
    });
  });

  test('names files relative to its own folder, and data wins over files', () => {
    const user = { 'client-certificate': 'c.pem', 'client-key-data': 'YWJj', 'client-key': 'x' };
    expect(parseKubeconfig(kubeconfig({ user }), '/a/config')).toMatchObject({
      cert: { file: '/a/c.pem' },
      privatePem: { text: 'abc' },
    });
  });

  test.each([
    ['a context that is not there', kubeconfig(), 'three', /no entry "three" in contexts/],
    ['no current context', '{}', undefined, /choose one with --context/],
    ['broken YAML', 'a: [', undefined, /not valid YAML/],
    ['a server that is no URL', kubeconfig({ cluster: { server: 'x' } }), 'one', /no http/],
    ['a password', kubeconfig({ user: { username: 'a' } }), 'one', /use a token/],
    ['a proxy', kubeconfig({ cluster: { 'proxy-url': 'http://x' } }), 'one', /connect directly/],
  ])('with %s is refused in one sentence', (_why, text, context, message) => {
    expect(() => parseKubeconfig(text, '/a/config', context)).toThrow(message);
  });

  test.each([null, ''])('in which a setting is %j is read as if it were not there', (nothing) => {
    const cluster = { 'proxy-url': nothing, 'tls-server-name': nothing };
    const names = ['auth-provider', 'exec', 'username', 'token', 'tokenFile', 'as', 'client-key'];
    const user = Object.fromEntries(names.map((name) => [name, nothing]));
    const text = kubeconfig({ cluster, user, context: { namespace: nothing } });
    expect(parseKubeconfig(text, '/a/config')).toEqual(
      parseKubeconfig(kubeconfig({ user: {} }), '/a/config'),
    );
    const uid = { as: 'jin', 'as-uid': nothing };
    expect(
      parseKubeconfig(kubeconfig({ user: uid }), '/a/config').impersonation,
    ).not.toHaveProperty('uid');
  });

  test('that switches off verification is refused unless that was asked for', async () => {
    const cluster = { 'insecure-skip-tls-verify': true };
    await expect(open({ cluster })).rejects.toThrow(/switches off verification/);
    expect((await open({ cluster }, 'Accept')).identity().tls.verification).toBe('Skip');
  });

  test('says in whose name requests are made', async () => {
    const user = {
      token: 'abc',
      as: 'jin@example.com',
      'as-uid': '7',
      'as-groups': ['admins', 'system:authenticated'],
      'as-user-extra': { 'example.com/scopes': ['a', 'b'] },
    };
    const { impersonation } = await open({ user });
    expect(impersonation).toEqual({
      user: 'jin@example.com',
      uid: '7',
      groups: ['admins', 'system:authenticated'],
      extra: [
        ['example.com/scopes', 'a'],
        ['example.com/scopes', 'b'],
      ],
    });
    expect((await open({ user: { token: 'abc', 'as-groups': ['a'] } })).impersonation).toBe(
      undefined,
    );
  });

  test.each([['jin\r\nX: y'], ['진'], ['\u0000']])(
    'that impersonates %j, which is no line of a request, is refused',
    async (name) => {
      await expect(open({ user: { token: 'abc', as: name } })).rejects.toMatchObject({
        reason: 'InvalidKubeconfig',
      });
    },
  );

  test('that cannot be read is reported by name', async () => {
    const source = { kind: 'Kubeconfig', file: join(folder, 'none') } as const;
    const opening = openAccess({ clock, log: silentLogger, source });
    await expect(opening).rejects.toThrow(/none" cannot be read/);
  });
});

describe('credentials follow their files', () => {
  test('a token file is read again after a minute', async () => {
    await writeFile(join(folder, 'token'), 'one\n');
    const access = await open({ user: { tokenFile: 'token' } });
    const first = access.identity();
    await writeFile(join(folder, 'token'), 'two\n');
    expect(access.identity()).toBe(first);
    clock.advance(60_000);
    await until(() => access.identity().authorization === 'Bearer two');
    expect(access.identity().tls).toBe(first.tls);
  });

  test('and at once after a 401', async () => {
    await writeFile(join(folder, 'token'), 'one');
    const access = await open({ user: { tokenFile: 'token' } });
    await writeFile(join(folder, 'token'), 'two');
    await access.renew();
    expect(access.identity().authorization).toBe('Bearer two');
  });

  test('a renewed client certificate replaces the TLS material', async () => {
    await writeFile(join(folder, 'c.pem'), 'one');
    const access = await open({
      user: { 'client-certificate': 'c.pem', 'client-key-data': 'YQ==' },
    });
    const before = access.identity().tls;
    await writeFile(join(folder, 'c.pem'), 'two');
    await access.renew();
    expect(access.identity().tls).not.toBe(before);
    expect(access.identity().tls.cert).toBe('two');
  });

  test('a file that is missing for a moment changes nothing', async () => {
    await writeFile(join(folder, 'token'), 'one');
    const access = await open({ user: { tokenFile: 'token' } });
    await rm(join(folder, 'token'));
    await access.renew();
    expect(access.identity().authorization).toBe('Bearer one');
  });

  test('a token that would end its header line is refused', async () => {
    await writeFile(join(folder, 'token'), 'one\r\nX: y');
    await expect(open({ user: { tokenFile: 'token' } })).rejects.toThrow(/bearer token/);
  });

  test('a pod uses its service account', async () => {
    await writeFile(join(folder, 'token'), 'pod');
    await writeFile(join(folder, 'ca.crt'), 'CA');
    const source = { kind: 'InCluster', host: '10.0.0.1', port: 443, folder } as const;
    const access = await openAccess({ clock, log: silentLogger, source });
    expect(access.identity()).toEqual({
      authorization: 'Bearer pod',
      tls: { ca: 'CA', verification: 'Verify' },
    });
  });

  test('a command gives a token, and runs again after a 401', async () => {
    const counter = join(folder, 'count');
    const script = join(folder, 'plugin.sh');
    await writeFile(counter, '0');
    const answer = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t'$n'"}}`;
    const lines = [`n=$(($(cat ${counter})+1))`, `echo $n > ${counter}`, `echo '${answer}'`];
    await writeFile(script, lines.join('\n'));
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: '/bin/sh',
      args: [script],
    };
    const access = await open({ user: { exec } });
    expect(access.identity().authorization).toBe('Bearer t1');
    await access.renew();
    expect(access.identity().authorization).toBe('Bearer t2');
  });

  test('an empty token and an empty name are none', async () => {
    const access = await open({ user: { token: '', username: '', password: '' } });
    expect(access.identity().authorization).toBeUndefined();
  });

  describe('a program for credentials', () => {
    const apiVersion = 'client.authentication.k8s.io/v1';
    const token = `{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":{"token":"here"}}`;

    async function program(name: string, lines: string, mode: number): Promise<void> {
      await writeFile(join(folder, name), `#!/bin/sh\n${lines}\n`, { mode });
    }

    test('that is not there is a mistake of the kubeconfig, which names it and says how to get it', async () => {
      const exec = { apiVersion, command: 'no-such-program', installHint: 'get it at the desk' };
      await expect(open({ user: { exec } })).rejects.toMatchObject({
        class: 'Terminal',
        reason: 'InvalidCredentials',
        message: expect.stringMatching(
          /"no-such-program" .* is not there; .*: get it at the desk$/,
        ),
      });
    });

    test('that may not be run, fails, or prints something else is named, and nothing it printed is', async () => {
      await program('locked', '', 0o600);
      await program('failing', 'echo canary >&2; exit 1', 0o700);
      await program('talking', 'echo canary', 0o700);
      for (const name of ['locked', 'failing', 'talking']) {
        const exec = { apiVersion, command: `./${name}` };
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const error: unknown = await open({ user: { exec } }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ class: 'Terminal', reason: 'InvalidCredentials' });
        expect(String(error)).toContain(join(folder, name));
        expect(String(error)).not.toContain('canary');
      }
    });

    test('is run although the kubeconfig has half-made entries that nobody chose', async () => {
      await program('plugin', `echo '${token}'`, 0o700);
      const exec = { apiVersion, command: './plugin' };
      const whole = JSON.parse(kubeconfig({ user: { exec } })) as Record<string, object[]>;
      const file = join(folder, 'config');
      for (const [list, entry] of [
        ['contexts', { name: 'half', context: { user: 'u' } }],
        ['clusters', { name: 'half', cluster: {} }],
        ['users', { user: {} }],
      ] as const) {
        const text = JSON.stringify({ ...whole, [list]: [...(whole[list] ?? []), entry] });
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await writeFile(file, text);
        const source = { kind: 'Kubeconfig', file } as const;
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const access = await openAccess({ clock, log: silentLogger, source });
        expect(access.identity().authorization).toBe('Bearer here');
      }
    });

    test('by a relative path is taken from the folder of the kubeconfig, by a bare name from PATH', async () => {
      await program('plugin', `echo '${token}'`, 0o700);
      const near = await open({ user: { exec: { apiVersion, command: './plugin' } } });
      expect(near.identity().authorization).toBe('Bearer here');
      const args = ['-c', `echo '${token}'`];
      const found = await open({ user: { exec: { apiVersion, command: 'sh', args } } });
      expect(found.identity().authorization).toBe('Bearer here');
    });
  });
});
