/** Each mistake in a configuration file is one sentence that names file and line. */
import { describe, expect, test } from 'vitest';
import { readFileLayer } from '../../../src/config/file.ts';
import { resolveSettings } from '../../../src/config/layers.ts';
import { classify } from '../../../src/kernel/errors.ts';
import { GATE_SETTINGS, OPERATOR_SETTINGS } from '../../../src/config/settings.ts';

const OPERATOR = 'apiVersion: config.keyward.dev/v1alpha1\nkind: OperatorConfiguration\n';
const GATE = 'apiVersion: config.keyward.dev/v1alpha1\nkind: GateConfiguration\n';
const PATH = 'keyward.yaml';

/** What the operator says to a file with these lines, of which the first is line 3. */
function complaint(lines: string): string {
  try {
    readFileLayer('operator', PATH, OPERATOR + lines);
    return 'nothing';
  } catch (error) {
    const { reason, message } = classify(error);
    return `${reason}: ${message}`;
  }
}

function plain(text: string, program: 'operator' | 'gate' = 'operator'): Record<string, unknown> {
  const { values } = readFileLayer(program, PATH, text);
  return Object.fromEntries([...values].map(([name, { value }]) => [name, value]));
}

describe('a configuration file', () => {
  test('gives values of every type', () => {
    const lines = `watchNamespaces: [a, b]\nworkers: 12\nleaderElect: false\nsecretWatch: none\ndatabase: sqlite:///x.db\n`;
    expect(plain(OPERATOR + lines)).toEqual({
      watchNamespaces: ['a', 'b'],
      workers: 12,
      leaderElect: false,
      secretWatch: 'none',
      database: 'sqlite:///x.db',
    });
  });

  test('may hold both servers, and each reads its own document', () => {
    const text = `---\n${OPERATOR}workers: 2\n---\n# the gate\n${GATE}replicas: 5\n`;
    expect(plain(text)).toEqual({ workers: 2 });
    expect(plain(text, 'gate')).toEqual({ replicas: 5 });
  });

  test('loses to variables, and those to flags; each value knows where it is from', () => {
    const file = readFileLayer(
      'operator',
      PATH,
      `${OPERATOR}workers: 2\nlogLevel: warn\nidentity: a\n`,
    );
    const effective = resolveSettings(OPERATOR_SETTINGS, {
      file,
      environment: { KEYWARD_LOG_LEVEL: 'error', KEYWARD_IDENTITY: 'b' },
      flags: { identity: 'c' },
    });
    const shown = Object.fromEntries(
      effective.map(({ setting, value, from }) => [setting.name, [value, from]]),
    );
    expect(shown).toMatchObject({
      workers: [2, 'keyward.yaml:3'],
      logLevel: ['error', 'KEYWARD_LOG_LEVEL'],
      identity: ['c', '--identity'],
      namespace: ['keyward-system', 'default'],
    });
  });

  test.each([
    [
      'watchNamespace: [a]',
      "keyward.yaml:3: 'watchNamespace' is no setting of the operator; did you mean watchNamespaces?",
    ],
    [
      'watch-namespaces: [a]',
      "keyward.yaml:3: 'watch-namespaces' is no setting of the operator; did you mean watchNamespaces?",
    ],
    ['workers: 2\nfrobnicate: 1', "keyward.yaml:4: 'frobnicate' is no setting of the operator"],
    [
      'gateKeyFile: /k',
      'keyward.yaml:3: gateKeyFile is a setting of the gate, not of the operator',
    ],
    ['config: other.yaml', 'keyward.yaml:3: a file cannot name another file'],
    [
      'workers: "64"',
      'keyward.yaml:3: workers takes a whole number from 1 to 1000, not a text; write it without quotes',
    ],
    ['workers: 0', 'keyward.yaml:3: workers takes a whole number from 1 to 1000, not 0'],
    ['workers: 1.5', 'keyward.yaml:3: workers takes a whole number from 1 to 1000, not 1.5'],
    [
      'workers: [1]',
      'keyward.yaml:3: workers takes a whole number from 1 to 1000, not a list of anything else',
    ],
    [
      'workers:',
      'keyward.yaml:3: workers takes a whole number from 1 to 1000, not nothing; leave the line out for the default',
    ],
    [
      'leaderElect: yes',
      'keyward.yaml:3: leaderElect takes true, false, not a text; write it without quotes',
    ],
    ['secretWatch: all', "keyward.yaml:3: secretWatch takes metadata, none, not 'all'"],
    [
      'secretWatch: false',
      'keyward.yaml:3: secretWatch takes metadata, none, not false; put it in quotes',
    ],
    ['identity: 7', 'keyward.yaml:3: identity takes a text, not 7; put it in quotes'],
    ['identity: {a: b}', 'keyward.yaml:3: identity takes a text, not a mapping'],
    [
      'watchNamespaces: a,b',
      'keyward.yaml:3: watchNamespaces takes a list of texts, not one text; write it as [a, b]',
    ],
    [
      'watchNamespaces: [a, 1]',
      'keyward.yaml:3: watchNamespaces takes a list of texts, not a list of anything else',
    ],
    ['workers: 1\nworkers: 2', 'keyward.yaml:4: the same key again (DUPLICATE_KEY)'],
    ['workers: [1', 'keyward.yaml:3: this is no YAML (BAD_INDENT)'],
  ])('with %j is refused: %s', (lines, sentence) => {
    expect(complaint(lines)).toBe(`InvalidConfiguration: ${sentence}`);
  });

  test.each([
    [
      '',
      'keyward.yaml holds no document with apiVersion: config.keyward.dev/v1alpha1 and kind: OperatorConfiguration',
    ],
    [GATE, 'keyward.yaml holds no document with'],
    [`${OPERATOR}---\n${OPERATOR}`, 'keyward.yaml holds 2 documents with'],
    ['workers: 3\n', 'keyward.yaml:1: apiVersion must be config.keyward.dev/v1alpha1'],
    [
      'apiVersion: config.keyward.dev/v2\nkind: OperatorConfiguration\n',
      'keyward.yaml:1: apiVersion must be',
    ],
    [
      'apiVersion: config.keyward.dev/v1alpha1\nkind: Operator\n',
      'keyward.yaml:1: kind must be OperatorConfiguration or GateConfiguration',
    ],
    ['- workers\n', 'keyward.yaml:1: this is no mapping'],
    ['secret words', 'keyward.yaml:1: this is no mapping'],
  ])('of another kind is refused: %j', (text, sentence) => {
    expect(() => readFileLayer('operator', PATH, text)).toThrow(sentence);
  });

  test('is never quoted, because a password may stand in any of its lines', () => {
    for (const lines of [
      'database: [postgres://u:hunter2@h/d]',
      'database: "postgres://u:hunter2@h/d',
      'workers: hunter2',
      'leaderElect: hunter2',
      'database: postgres://u:hunter2@h/d: x',
      '\tdatabase: hunter2',
    ]) {
      const said = complaint(lines);
      expect(said).not.toBe('nothing');
      expect(said).not.toContain('hunter2');
    }
  });
});

test('every setting can be written into a file as its default says', () => {
  for (const [program, settings, head] of [
    ['operator', OPERATOR_SETTINGS, OPERATOR],
    ['gate', GATE_SETTINGS, GATE],
  ] as const) {
    const lines = settings
      .filter((setting) => setting.default !== undefined)
      .map((setting) => `${setting.name}: ${JSON.stringify(setting.default)}\n`);
    expect(Object.keys(plain(head + lines.join(''), program))).toHaveLength(lines.length);
  }
});
