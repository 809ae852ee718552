/** Settings as a process reads them: command line, environment and file of its own, and what it says of mistakes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'bin', 'keyward.ts');
const folder = mkdtempSync(join(tmpdir(), 'keyward-config-'));
const HEAD = 'apiVersion: config.keyward.dev/v1alpha1\nkind: OperatorConfiguration\n';

afterAll(() => rmSync(folder, { recursive: true }));

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs to its end, with nothing of our own environment. */
async function keyward(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '', NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...env },
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  await once(child, 'close');
  const [stdout, stderr] = [Buffer.concat(out).toString(), Buffer.concat(err).toString()];
  return { code: child.exitCode, stdout, stderr };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('keyward config print', () => {
  test('shows what is in force and where it is from, and no password', async () => {
    const path = file('good.yaml', `${HEAD}masterKeyFile: /m\nworkers: 3\nlogLevel: warn\n`);
    const { code, stdout, stderr } = await keyward(
      ['config', 'print', '--config', path, '--log-level', 'error'],
      { KEYWARD_DATABASE: 'postgres://keyward:hunter2@db/keyward\n' },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'database: postgres://keyward:***@db/keyward  # KEYWARD_DATABASE',
        `workers: 3  # ${path}:4`,
        'logLevel: error  # --log-level',
        'leaderElect: true  # default',
      ]),
    );
    expect(stdout).not.toContain('hunter2');
  });

  test('shows a gate as JSON, whatever Services put into the pod', async () => {
    const links = {
      KEYWARD_SERVICE_HOST: '10.0.0.7',
      KEYWARD_PORT: 'tcp://10.0.0.7:8180',
      KEYWARD_GATE_PORT_8180_TCP_ADDR: '10.0.0.7',
    };
    const flags = ['--database', 'sqlite:///x.db', '--gate-key-file', '/g', '-o', 'json'];
    const { code, stdout } = await keyward(['config', 'print', 'gate', ...flags], links);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      program: 'gate',
      settings: expect.arrayContaining([
        {
          name: 'gateKeyFile',
          flag: '--gate-key-file',
          variable: 'KEYWARD_GATE_KEY_FILE',
          value: '/g',
          from: '--gate-key-file',
        },
      ]),
    });
  });

  test('prints all of it and then says what keeps the server from starting', async () => {
    const { code, stdout, stderr } = await keyward(['config', 'print']);
    expect(code).toBe(1);
    expect(stdout).toContain('# database: (none)  # default');
    expect(stderr).toMatch(/^keyward: --database is required: .*\n$/);
  });
});

describe('a server does not start, and says in one sentence why:', () => {
  const bad = file('bad.yaml', `${HEAD}watchNamespace: [a]\n`);
  test.each([
    [[], { KEYWARD_WORKRS: '3' }, 'KEYWARD_WORKRS is no setting; did you mean KEYWARD_WORKERS?'],
    [[], { KEYWARD_WORKERS: 'many' }, 'KEYWARD_WORKERS takes a whole number from 1 to 1000'],
    [
      ['--config', bad],
      {},
      `${bad}:3: 'watchNamespace' is no setting of the operator; did you mean`,
    ],
    [['--config', '/nowhere'], {}, '--config: /nowhere cannot be read (ENOENT)'],
    [[], { KEYWARD_CONFIG: '/nowhere' }, '--config: /nowhere cannot be read (ENOENT)'],
    [['--secret-watch=all'], {}, "--secret-watch takes metadata, none, not 'all'"],
  ])('%j %j', async (flags, env, sentence) => {
    const { code, stdout, stderr } = await keyward(['operator', ...flags], env);
    expect(stderr).toContain(`keyward: ${sentence}`);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect([code, stdout]).toEqual([1, '']);
  });

  test('an unknown flag, with the nearest one', async () => {
    const { code, stderr } = await keyward(['operator', '--watch-namespace=a']);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean --watch-namespaces?');
  });
});

test('commands beside a server read its variables and mind no others', async () => {
  const { stderr } = await keyward(['keys', '--retained'], {
    KEYWARD_DATABASE: `sqlite://${folder}/none.db`,
    KEYWARD_WORKRS: '3',
  });
  expect(stderr).toContain('none.db');
  expect(stderr).not.toContain('WORKRS');
});

describe("the operator's file", () => {
  test.each([
    'keys',
    'keys --retained',
    'keys revoke 4c1d',
    'debts',
    'audit list',
    'database backup copy.db',
    'restore',
  ])('says where the database is, also to keyward %s', async (command) => {
    const path = file('operator.yaml', `${HEAD}database: sqlite:///nowhere/its.db\n`);
    const { code, stderr } = await keyward([...command.split(' '), '--config', path]);
    expect(code).toBe(1);
    expect(stderr).toContain('/nowhere/its.db');
  });
});
