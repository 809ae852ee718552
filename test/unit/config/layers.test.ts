/** The list of settings and those who read it agree. */
import { describe, expect, test } from 'vitest';
import { gateConfig } from '../../../src/config/gate.ts';
import { resolveSettings, type Effective } from '../../../src/config/layers.ts';
import { operatorConfig } from '../../../src/config/operator.ts';
import { flagOf, variableOf } from '../../../src/config/setting.ts';
import { GATE_SETTINGS, OPERATOR_SETTINGS } from '../../../src/config/settings.ts';

const REQUIRED = { database: 'sqlite:///x.db', masterKeyFile: '/m', gateKeyFile: '/g' };

/** Names of the settings whose values were looked at while `compose` ran. */
function read(effective: readonly Effective[], compose: (all: readonly Effective[]) => unknown) {
  const seen = new Set<string>();
  const watched = effective.map((each) => ({
    setting: each.setting,
    from: each.from,
    get value() {
      seen.add(each.setting.name);
      return each.value;
    },
  }));
  compose(watched);
  return seen;
}

describe('each setting', () => {
  test.each([
    ['operator', OPERATOR_SETTINGS, (all: readonly Effective[]) => operatorConfig(all, 'h')],
    ['gate', GATE_SETTINGS, gateConfig],
  ] as const)('of the %s is read by it, but for the name of the file', (_, settings, compose) => {
    const effective = resolveSettings(settings, { flags: REQUIRED, environment: {} });
    const known = read(effective, compose);
    const unread = settings.map(({ name }) => name).filter((name) => !known.has(name));
    expect(unread).toEqual(['config']);
  });

  test('has a flag and a variable of its own', () => {
    for (const settings of [OPERATOR_SETTINGS, GATE_SETTINGS]) {
      expect(new Set(settings.map(flagOf)).size).toBe(settings.length);
    }
    expect(flagOf({ name: 'tlsClientCa' })).toBe('tls-client-ca');
    expect(variableOf({ name: 'tlsClientCa' })).toBe('KEYWARD_TLS_CLIENT_CA');
  });
});

describe('variables', () => {
  const valueOf = (name: string, text: string): unknown =>
    resolveSettings(OPERATOR_SETTINGS, {
      flags: {},
      environment: { [variableOf({ name })]: text },
    }).find(({ setting }) => setting.name === name)?.value;

  test('that are empty count as absent, and line ends of mounted files are cut off', () => {
    expect(valueOf('workers', '')).toBe(64);
    expect(valueOf('workers', ' 8\n')).toBe(8);
    expect(valueOf('database', 'sqlite:///x.db\n')).toBe('sqlite:///x.db');
  });

  test('of flags without a value say true or false, and nothing else', () => {
    expect(valueOf('acceptVanished', 'false')).toBe(false);
    expect(valueOf('acceptVanished', 'true')).toBe(true);
    expect(() => valueOf('acceptVanished', '1')).toThrow(
      "KEYWARD_ACCEPT_VANISHED takes true, false, not '1'",
    );
  });

  test('are named themselves when their value is wrong', () => {
    expect(() => valueOf('logLevel', 'loud')).toThrow(
      "KEYWARD_LOG_LEVEL takes debug, info, warn, error, silent, not 'loud'",
    );
  });
});
