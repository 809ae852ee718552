import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../../fakes/main.ts');

test('a fake runs alone, says where and with what credentials, and ends when it is told to', async () => {
  const child = spawn(process.execPath, [MAIN, 'awkward'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith('switches:')) break;
  }
  const address = lines[0]?.replace('address: ', '');
  const token = lines.find((line) => line.includes('token:'))?.replace(/.*token: /, '');
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${address}/v1/account`, { headers });
  expect(await answer.json()).toEqual({ account: 'acct-one', plan: 'awkward' });
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('a fake of no name is refused with the names that there are', async () => {
  const child = spawn(process.execPath, [MAIN, 'nobody'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = child.stderr.toArray();
  expect(await once(child, 'exit')).toEqual([2, null]);
  expect(String(await said)).toContain('naver|solapi|awkward');
});
