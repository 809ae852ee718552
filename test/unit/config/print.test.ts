/** What `keyward config print` shows, and what it must not. */
import { describe, expect, test } from 'vitest';
import { readFileLayer } from '../../../src/config/file.ts';
import { resolveSettings, type Flags } from '../../../src/config/layers.ts';
import { masked, printedSettings, settingsFile } from '../../../src/config/print.ts';
import { GATE_SETTINGS, OPERATOR_SETTINGS } from '../../../src/config/settings.ts';

const resolved = (flags: Flags) => resolveSettings(OPERATOR_SETTINGS, { flags, environment: {} });

describe('printed settings', () => {
  test('are a file that gives the same settings again', () => {
    const flags = {
      database: 'sqlite:///var/lib/keyward/keyward.db',
      masterKeyFile: '/etc/with # and: odd [letters]',
      watchNamespaces: 'team-a,team-b',
      endpointHosts: 'Naver=a.example,Solapi=localhost:8080',
      identity: '123',
      leaderElect: 'false',
      workers: '7',
    };
    const effective = resolved(flags);
    const file = readFileLayer('operator', 'f', settingsFile('operator', effective));
    const again = resolveSettings(OPERATOR_SETTINGS, { flags: {}, environment: {}, file });
    const valuesOf = (all: typeof effective) => all.map(({ value }) => value);
    expect(valuesOf(again)).toEqual(valuesOf(effective));
  });

  test('say where each value is from, and what holds where there is none', () => {
    const text = settingsFile('operator', resolved({ workers: '7', config: 'x.yaml' }));
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'kind: OperatorConfiguration',
        'workers: 7  # --workers',
        'logLevel: info  # default',
        '# watchNamespaces: (all namespaces)  # default',
        '# config: x.yaml  # --config',
      ]),
    );
  });

  test('show those of tests only where somebody set them', () => {
    const names = (flags: Flags) => printedSettings(resolved(flags)).map(({ name }) => name);
    expect(names({})).not.toContain('crashAtCommit');
    expect(names({ crashAtCommit: '1:before' })).toContain('crashAtCommit');
  });

  test('of a gate are those of a gate', () => {
    const effective = resolveSettings(GATE_SETTINGS, { flags: {}, environment: {} });
    const text = settingsFile('gate', effective);
    expect(text).toContain('keyHeaders: [X-API-Key]  # default');
    expect(readFileLayer('gate', 'f', text).values.get('replicas')?.value).toBe(3);
  });
});

describe('passwords', () => {
  const shown = (name: string, value: string) =>
    printedSettings(resolved({ [name]: value })).find((each) => each.name === name)?.value;

  test.each([
    ['postgres://keyward:hunter2@db:5432/keyward', 'postgres://keyward:***@db:5432/keyward'],
    ['postgres://keyward:hun@ter/2#@db/keyward', 'postgres://keyward:***@db/keyward'],
    ['postgres://:hunter2@db/keyward', 'postgres://:***@db/keyward'],
    [
      'postgres://u@db/k?password=hunter2&sslmode=require',
      'postgres://u@db/k?password=***&sslmode=require',
    ],
    ['postgres://u@db/k?sslpassword=hunter2', 'postgres://u@db/k?sslpassword=***'],
    ['postgres://keyward@db/keyward', 'postgres://keyward@db/keyward'],
    ['sqlite:///var/lib/keyward.db', 'sqlite:///var/lib/keyward.db'],
  ])('in %s are not shown', (url, safe) => {
    expect(shown('database', url)).toBe(safe);
  });

  test.each([
    ['https://chat.example.com/hooks/T0/hunter2', 'https://chat.example.com/***'],
    ['https://chat.example.com?token=hunter2', 'https://chat.example.com/***'],
    ['https://u:hunter2@chat.example.com/x', 'https://chat.example.com/***'],
    ['https://chat.example.com', 'https://chat.example.com'],
  ])('in the address of a webhook %s are not shown, and nothing behind the host', (url, safe) => {
    expect(masked({ mask: 'Path' }, url)).toBe(safe);
  });
});
