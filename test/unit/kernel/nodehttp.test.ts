import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const OPERATOR = join(import.meta.dirname, '../../../src/bin/operator.ts');

test("the operator runs without Node's fetch client", () => {
  const script = `await import(${JSON.stringify(OPERATOR)});
    console.log(process.moduleLoadList.some((name) => name.includes('undici')));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('false\n');
});
