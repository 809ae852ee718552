import { afterEach, describe, expect, test, vi } from 'vitest';
import { ledgerConfig, operatorConfig, personConfig } from '../../src/config.ts';

const REQUIRED = { database: 'sqlite:///x.db', masterKeyFile: '/keys' };

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
    ['crashAtCommit', '3:during', '--crash-at-commit takes before, after'],
  ])('refuse %s=%s in a sentence that says what it takes', (flag, value, sentence) => {
    expect(() => operatorConfig({ ...REQUIRED, [flag]: value }, 'host')).toThrow(sentence);
  });
});

test.each([
  [{ masterKeyFile: '/keys' }, '--database is required'],
  [{ database: 'sqlite:///x.db' }, '--master-key-file is required'],
])('ledger settings %j say which flag is missing', (flags, sentence) => {
  expect(() => ledgerConfig(flags)).toThrow(sentence);
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
