import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const LOG = resolve(import.meta.dirname, '../../../src/kernel/log.ts');
const PROGRAM = `
  import { createLogger } from ${JSON.stringify(LOG)};
  const log = createLogger('info');
  for (let n = 0; n < 3; n += 1) log.info('a line');
  setTimeout(() => {
    log.info('a later line');
    process.stderr.write('alive');
  }, 50);
`;

test('a disk that has no room for the log costs lines, not the process, which still ends', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM],
    { stdio: ['ignore', full, 'pipe'], timeout: 60_000 },
  );
  closeSync(full);
  expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: 'alive' });
});
