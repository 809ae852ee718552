import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { databaseConfig, ledgerConfig, vendorConfig } from '../../../src/config/commands.ts';
import { gateConfig as composeGate, type GateConfig } from '../../../src/config/gate.ts';
import { resolveSettings, type Flags } from '../../../src/config/layers.ts';
import {
  operatorConfig as composeOperator,
  type OperatorConfig,
} from '../../../src/config/operator.ts';
import { personConfig } from '../../../src/config/person.ts';
import { GATE_SETTINGS, OPERATOR_SETTINGS } from '../../../src/config/settings.ts';

const REQUIRED = { database: 'sqlite:///x.db', masterKeyFile: '/keys' };

function operatorConfig(flags: Flags, host: string): OperatorConfig {
  const layers = { flags, environment: process.env };
  return composeOperator(resolveSettings(OPERATOR_SETTINGS, layers), host);
}

function gateConfig(flags: Flags): GateConfig {
  return composeGate(resolveSettings(GATE_SETTINGS, { flags, environment: process.env }));
}

afterEach(() => vi.unstubAllEnvs());

describe('operator settings', () => {
  test('have defaults for everything but database and master key', () => {
    const config = operatorConfig(REQUIRED, 'host-1');
    expect(config).toMatchObject({
      namespace: 'keyward-system',
      watchNamespaces: [],
      leaderElect: true,
      identity: 'host-1',
      secretWatch: 'metadata',
      masterKey: 'Required',
      logLevel: 'info',
      remoteCheckSeconds: 600,
    });
  });

  test('come from the environment where there is no flag, and flags win', () => {
    vi.stubEnv('KEYWARD_WATCH_NAMESPACES', 'a,b');
    vi.stubEnv('KEYWARD_LOG_LEVEL', 'debug');
    const config = operatorConfig({ ...REQUIRED, logLevel: 'warn' }, 'host');
    expect(config.watchNamespaces).toEqual(['a', 'b']);
    expect(config.logLevel).toBe('warn');
  });

  test('name each watched namespace once, however often it is named', () => {
    const config = operatorConfig({ ...REQUIRED, watchNamespaces: 'a, b,a,' }, 'host');
    expect(config.watchNamespaces).toEqual(['a', 'b']);
  });

  test('take an address and a file of secrets for notices, both or none', () => {
    const webhookUrl = 'https://chat.example.com/hooks/keyward';
    const { webhook } = operatorConfig({ ...REQUIRED, webhookUrl, webhookSecretFile: '/s' }, 'h');
    expect(webhook).toEqual({ url: new URL(webhookUrl), secretFile: '/s' });
    expect(operatorConfig(REQUIRED, 'h').webhook).toBeUndefined();
    for (const wrong of [
      { webhookUrl },
      { webhookSecretFile: '/s' },
      { webhookUrl: 'chat.example.com', webhookSecretFile: '/s' },
      { webhookUrl: 'file:///etc/passwd', webhookSecretFile: '/s' },
      { webhookUrl: 'https://user:word@chat.example.com', webhookSecretFile: '/s' },
    ]) {
      expect(() => operatorConfig({ ...REQUIRED, ...wrong }, 'h')).toThrow(
        expect.objectContaining({ reason: 'InvalidConfiguration' }),
      );
    }
  });

  test('say that the database is lost with the pod, which holds for SQLite only', () => {
    expect(operatorConfig(REQUIRED, 'h').databaseEphemeral).toBe(false);
    vi.stubEnv('KEYWARD_DATABASE_EPHEMERAL', 'true');
    expect(operatorConfig(REQUIRED, 'h').databaseEphemeral).toBe(true);
    const database = 'postgres://keyward:word@db.example/keyward';
    expect(() => operatorConfig({ ...REQUIRED, database }, 'h')).toThrow(
      expect.objectContaining({
        reason: 'InvalidConfiguration',
        message: '--database-ephemeral goes with a SQLite database only; leave it out',
      }),
    );
  });

  test('name the hosts that stores of a type may be reached at', () => {
    const endpointHosts = 'Naver=a.example,Solapi=localhost:8080';
    const config = operatorConfig({ ...REQUIRED, endpointHosts }, 'host');
    expect([...config.endpointHosts]).toEqual([
      ['Naver', ['a.example']],
      ['Solapi', ['localhost:8080']],
    ]);
  });

  test.each([
    ['logLevel', 'loud', '--log-level takes debug'],
    ['leaderElect', 'maybe', '--leader-elect takes true, false'],
    ['workers', '0', '--workers takes a whole number from 1'],
    ['workers', '1e3', '--workers takes a whole number'],
    ['secretWatch', 'all', '--secret-watch takes metadata, none'],
    ['endpointHosts', 'api.example.com', '--endpoint-hosts takes Type=host[:port]'],
    ['watchNamespaces', 'a,team-*', "--watch-namespaces takes names of namespaces, not 'team-*'"],
    ['watchNamespaces', 'a b', "--watch-namespaces takes names of namespaces, not 'a b'"],
    ['crashAtCommit', '3:during', '--crash-at-commit takes <n>:before or <n>:after'],
  ])('refuse %s=%s in a sentence that says what it takes', (flag, value, sentence) => {
    expect(() => operatorConfig({ ...REQUIRED, [flag]: value }, 'host')).toThrow(sentence);
  });
});

test.each([
  [{ masterKeyFile: '/keys' }, '--database is required'],
  [{ database: 'sqlite:///x.db' }, '--master-key-file is required'],
])('ledger settings %j say which flag is missing', async (flags, sentence) => {
  await expect(ledgerConfig(flags)).rejects.toThrow(sentence);
});

test('commands take what is not said otherwise from the file of the operator', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-config-'));
  const config = join(folder, 'keyward.yaml');
  writeFileSync(
    config,
    `apiVersion: config.keyward.dev/v1alpha1
kind: OperatorConfiguration
database: sqlite:///file.db
masterKeyFile: /file/keys
endpointHosts: [Naver=api.example.com]
workers: 3
`,
  );
  expect(await ledgerConfig({ config })).toEqual({
    database: 'sqlite:///file.db',
    masterKeyFile: '/file/keys',
  });
  vi.stubEnv('KEYWARD_DATABASE', 'sqlite:///variable.db');
  expect(await databaseConfig({ config })).toBe('sqlite:///variable.db');
  expect(await databaseConfig({ config, database: 'sqlite:///flag.db' })).toBe('sqlite:///flag.db');
  const { endpointHosts } = await vendorConfig({ config });
  expect([...endpointHosts]).toEqual([['Naver', ['api.example.com']]]);
  rmSync(folder, { recursive: true });
  await expect(databaseConfig({ config })).rejects.toThrow('cannot be read (ENOENT)');
});

describe('settings of people', () => {
  test('find the kubeconfig as kubectl does: flag, KUBECONFIG, home, and the pod only after those', () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
    vi.stubEnv('KUBECONFIG', '');
    expect(personConfig({}, '/home/jin').kubeconfigs).toEqual(['/home/jin/.kube/config']);
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
    expect(personConfig({}, '/nonexistent').kubeconfigs).toEqual([]);
    vi.stubEnv('KUBECONFIG', '/a:/b:');
    expect(personConfig({}, '/home/jin').kubeconfigs).toEqual(['/a', '/b']);
    expect(personConfig({ kubeconfig: '/c' }, '/home/jin').kubeconfigs).toEqual(['/c']);
  });

  test('take nothing from variables that speak of the operator', () => {
    vi.stubEnv('KEYWARD_NAMESPACE', 'keyward-system');
    vi.stubEnv('KEYWARD_KUBECONFIG', '/operator');
    vi.stubEnv('KUBECONFIG', '/a');
    expect(personConfig({}, '/h')).toMatchObject({ namespace: undefined, kubeconfigs: ['/a'] });
  });

  test('heed NO_COLOR unless colours are asked for', () => {
    vi.stubEnv('NO_COLOR', '1');
    expect(personConfig({}, '/h').colour).toBe('never');
    expect(personConfig({ color: 'always' }, '/h').colour).toBe('always');
    vi.stubEnv('NO_COLOR', '');
    expect(personConfig({}, '/h').colour).toBe('auto');
    expect(() => personConfig({ color: 'red' }, '/h')).toThrow('--color');
  });
});

describe('gate settings', () => {
  const required = { database: 'sqlite:///x.db', gateKeyFile: '/gate.key' };

  test('have defaults that let nothing in that nobody asked for', () => {
    expect(gateConfig(required)).toEqual({
      database: 'sqlite:///x.db',
      gateKeyFile: '/gate.key',
      httpAddress: '127.0.0.1:8180',
      httpParser: 'Fast',
      grpcAddress: undefined,
      metricsAddress: '127.0.0.1:8081',
      reading: {
        keyHeaders: ['X-API-Key'],
        keyQuery: undefined,
        productHeader: undefined,
        trustedProxies: [],
      },
      gate: {
        maxStalenessMs: 15_000,
        replicas: 3,
        recordsMax: 50_000,
        unlisted: 'deny',
        phpDates: false,
      },
      tls: undefined,
      logLevel: 'info',
    });
  });

  test('come from the environment, with lists as people write them', () => {
    vi.stubEnv('KEYWARD_KEY_HEADERS', 'X-API-Key, VISITSEOUL-API-KEY,');
    vi.stubEnv('KEYWARD_TRUSTED_PROXIES', '10.0.0.0/8,2001:db8::/32');
    vi.stubEnv('KEYWARD_UNLISTED', 'allow');
    vi.stubEnv('KEYWARD_HTTP_PARSER', 'node');
    vi.stubEnv('KEYWARD_MAX_STALENESS_SECONDS', '3');
    const { gate, reading, httpParser } = gateConfig(required);
    expect(httpParser).toBe('Node');
    expect(reading.keyHeaders).toEqual(['X-API-Key', 'VISITSEOUL-API-KEY']);
    expect(reading.trustedProxies).toEqual(['10.0.0.0/8', '2001:db8::/32']);
    expect(gate).toMatchObject({ unlisted: 'allow', maxStalenessMs: 3_000 });
  });

  test('take certificate and key together, and authorities only with both', () => {
    const tls = gateConfig({ ...required, tlsCert: 'c', tlsKey: 'k', tlsClientCa: 'a' }).tls;
    expect(tls).toEqual({ certFile: 'c', keyFile: 'k', clientCaFile: 'a' });
    for (const wrong of [{ tlsCert: 'c' }, { tlsKey: 'k' }, { tlsClientCa: 'a' }]) {
      expect(() => gateConfig({ ...required, ...wrong })).toThrow(/need each other/);
    }
  });

  test('that make no sense are refused', () => {
    for (const wrong of [
      { unlisted: 'maybe' },
      { replicas: '0' },
      { maxStalenessSeconds: '0' },
      { maxStalenessSeconds: '1e9' },
      { cacheRecords: '1' },
      { httpParser: 'Fast' },
    ]) {
      expect(() => gateConfig({ ...required, ...wrong })).toThrow(/takes/);
    }
  });
});
