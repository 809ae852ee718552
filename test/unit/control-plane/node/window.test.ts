import { connect, createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { carry } from '../../../../control-plane/node/window.ts';

test('a window carries bytes both ways through a file, and closes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-window-'));
  const path = join(folder, 'socket');
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = await carry({ path }, { port: address.port, host: '127.0.0.1' });
  const socket = connect({ path });
  socket.end('there and back');
  expect(await text(socket)).toBe('there and back');
  close();
  echo.close();
  rmSync(folder, { recursive: true });
});

test('a window to nobody hangs up on the caller', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyward-window-'));
  const path = join(folder, 'socket');
  const close = await carry({ path }, { path: join(folder, 'nobody') });
  const socket = connect({ path });
  await once(socket, 'close');
  expect(socket.destroyed).toBe(true);
  close();
  rmSync(folder, { recursive: true });
});
