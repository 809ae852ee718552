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

// What a container's runtime may do with the pipe: a full one refuses instead of waiting.
const REFUSING = `
  import { Socket } from 'node:net';
  import { createLogger } from ${JSON.stringify(LOG)};
  new Socket({ fd: 1, readable: false }).unref();
  const log = createLogger('info');
`;

const FLOOD = `${REFUSING}
  for (let n = 0; n < 20_000; n += 1) log.info('a line', { long: 'x'.repeat(n % 700) });
  process.stderr.write('flooded');
  process.stdin.resume();
`;

test('a reader that was frozen gets what was kept, and learns how many lines were lost, although none follows', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', FLOOD]);
  const exited = once(child, 'exit');
  await once(child.stderr, 'data');
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
  expect(JSON.parse(told ?? '{}')).toMatchObject({ level: 'warn', lines: 20_000 - whole });
});

const LAST_WORDS = `${REFUSING}
  for (let n = 0; n < 1_000; n += 1) log.info('a line', { long: 'x'.repeat(200) });
  process.stderr.write('flooded');
  process.stdin.once('data', () => {
    log.error('why it ends');
    process.exit(1);
  });
`;

test('a process that ends says all that it had to say to a reader that was late', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', LAST_WORDS]);
  const exited = once(child, 'exit');
  await once(child.stderr, 'data');
  child.stdin.write('end');
  let seen = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) seen += String(chunk);
  const lines = seen.trim().split('\n');
  expect(await exited).toEqual([1, null]);
  expect(lines).toHaveLength(1_001);
  expect(lines.at(-1)).toContain('why it ends');
});
