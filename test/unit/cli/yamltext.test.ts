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

  test.each(['0X1F', '0B11', '0O17', '+0X1F', '0_X1F', '+_5', '1e_3'])(
    'quotes the text "%s", which kubectl alone takes for a number',
    async (text) => {
      const yaml = await yamlText({ message: text, labels: { [text]: 'x' } });
      expect(yaml).toBe(`message: "${text}"\nlabels:\n  "${text}": x\n`);
    },
  );

  test('leaves what nobody mistakes without quotes', async () => {
    expect(await yamlText({ kind: 'ApiKey', spec: { description: 'for the shop' } })).toBe(
      'kind: ApiKey\nspec:\n  description: for the shop\n',
    );
    expect(await yamlText(['bad', 'x1', '90d', '10.0.0.1', '0x', 'v1'])).not.toContain('"');
  });
});
