import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { yamlText } from '../../../src/cli/yamltext.ts';

const AWKWARD = [
  'No',
  'yes',
  'on',
  'off',
  'y',
  'n',
  'null',
  '~',
  '',
  '012',
  '0b1',
  '0x1F',
  '1_000',
  '1e3',
];
const DATES = [
  '1:30',
  '190:20:30',
  '2026-01-01',
  '2026-01-01T00:00:00Z',
  '.5',
  '+1',
  '.inf',
  '<<',
  '=',
];

describe('YAML for files of people', () => {
  test.each([...AWKWARD, ...DATES, '0o7'])(
    'gives the text "%s" back to readers of 1.1 and of 1.2',
    async (text) => {
      const object = { message: text, labels: { [`x-${text}`]: text }, count: 1, isDone: true };
      const yaml = await yamlText(object);
      expect(parse(yaml, { version: '1.1' })).toEqual(object);
      expect(parse(yaml, { version: '1.2' })).toEqual(object);
    },
  );

  test('leaves what nobody mistakes without quotes', async () => {
    expect(await yamlText({ kind: 'ApiKey', spec: { description: 'for the shop' } })).toBe(
      'kind: ApiKey\nspec:\n  description: for the shop\n',
    );
  });
});
