import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
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

const FLOOD = `
  import { Socket } from 'node:net';
  import { createLogger } from ${JSON.stringify(LOG)};
  // What a container's runtime may do with the pipe: a full one refuses instead of waiting.
  new Socket({ fd: 1, readable: false }).unref();
  const log = createLogger('info');
  for (let n = 0; n < 100; n += 1) log.info('a line', { long: 'x'.repeat(65_536) });
  process.stderr.write('flooded');
  process.stdin.once('data', () => {
    const more = setInterval(() => log.info('a later line'), 5);
    process.stdin.once('end', () => clearInterval(more));
  });
`;

test('a reader that was frozen learns how many lines were lost', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', FLOOD]);
  const exited = once(child, 'exit');
  await once(child.stderr, 'data');
  child.stdin.write('go on');
  let seen = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    seen += String(chunk);
    if (seen.includes('were lost')) child.stdin.end();
  }
  const [status] = await exited;
  const lines = seen.trim().split('\n');
  const whole = lines.filter((line) => line.includes('"a line"')).length;
  const told = lines.find((line) => line.includes('were lost'));
  expect(status).toBe(0);
  expect(JSON.parse(told ?? '{}')).toMatchObject({ level: 'warn', lines: 100 - whole });
});
