/** Typing errors in names of variables are told; what Kubernetes puts into a pod is none. */
import { describe, expect, test } from 'vitest';
import { nearest } from '../../../src/config/nearest.ts';
import { variableOf } from '../../../src/config/setting.ts';
import { SETTINGS } from '../../../src/config/settings.ts';
import { refuseUnknownVariables } from '../../../src/config/variables.ts';

const all = Object.values(SETTINGS).flat();

describe('variables of the environment', () => {
  test.each([
    ['KEYWARD_WORKRS', 'KEYWARD_WORKRS is no setting; did you mean KEYWARD_WORKERS?'],
    ['KEYWARD_WATCHNAMESPACES', 'did you mean KEYWARD_WATCH_NAMESPACES?'],
    ['KEYWARD_DATABASE_URL', 'did you mean KEYWARD_DATABASE?'],
    ['KEYWARD_FROBNICATION_MODE', 'KEYWARD_FROBNICATION_MODE is no setting'],
    ['KEYWARD_PORT', 'KEYWARD_PORT is no setting'],
    ['KEYWARD_METRICS_PORT', 'KEYWARD_METRICS_PORT is no setting'],
  ])('%s is refused', (name, sentence) => {
    expect(() => refuseUnknownVariables({ [name]: '8080' })).toThrow(sentence);
  });

  test('are all named at once', () => {
    const wrong = { KEYWARD_A1: 'x', KEYWARD_DATABAS: 'y' };
    expect(() => refuseUnknownVariables(wrong)).toThrow(
      'KEYWARD_A1 is no setting; KEYWARD_DATABAS is no setting; did you mean KEYWARD_DATABASE?',
    );
  });

  test('that hold a value are never quoted', () => {
    expect(() => refuseUnknownVariables({ KEYWARD_DATABAS: 'postgres://u:hunter2@h' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });

  test('of Services called keyward, keyward-gate and keyward-operator-metrics change nothing', () => {
    const links: Record<string, string> = {};
    for (const service of ['KEYWARD', 'KEYWARD_GATE', 'KEYWARD_OPERATOR_METRICS']) {
      Object.assign(links, {
        [`${service}_SERVICE_HOST`]: '10.96.0.7',
        [`${service}_SERVICE_PORT`]: '8180',
        [`${service}_SERVICE_PORT_HTTP`]: '8180',
        [`${service}_SERVICE_PORT_GRPC_EXT_AUTHZ`]: '9180',
        [`${service}_PORT`]: 'tcp://10.96.0.7:8180',
        [`${service}_PORT_8180_TCP`]: 'tcp://10.96.0.7:8180',
        [`${service}_PORT_8180_TCP_PROTO`]: 'tcp',
        [`${service}_PORT_8180_TCP_PORT`]: '8180',
        [`${service}_PORT_8180_TCP_ADDR`]: '10.96.0.7',
      });
    }
    expect(() => refuseUnknownVariables(links)).not.toThrow();
  });

  test('of the other server, of tests and of anybody else are left alone', () => {
    const others = Object.fromEntries(all.map((setting) => [variableOf(setting), '']));
    expect(() =>
      refuseUnknownVariables({
        ...others,
        KEYWARD_TEST_CONTROL_PLANE: '/x',
        KEYWARD_CACHE: '/x',
        PATH: '/bin',
        keyward_workers: '1',
      }),
    ).not.toThrow();
  });

  test('of settings are never such as Kubernetes writes', () => {
    for (const setting of all) {
      expect(variableOf(setting)).not.toMatch(/_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)/);
    }
  });
});

describe('the nearest name', () => {
  test('is found over other notations, missing and exchanged letters, and not from far away', () => {
    const known = ['watchNamespaces', 'workers', 'webhookUrl'];
    expect(nearest('watch-namespaces', known)).toBe('watchNamespaces');
    expect(nearest('wokrers', known)).toBe('workers');
    expect(nearest('webhook', known)).toBe('webhookUrl');
    expect(nearest('replicas', known)).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});
