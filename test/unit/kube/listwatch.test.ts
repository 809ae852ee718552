import { expect, test } from 'vitest';
import { API_KEYS } from '../../../src/api/names.ts';
import { isInitialEnd, ListWatch } from '../../../src/kube/listwatch.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { FakeClock } from '../../support/clock.ts';
import { ScriptedServer } from './scriptedserver.ts';

test.each([
  { type: 'BOOKMARK', object: null },
  { type: 'ADDED', object: 3 },
  { type: 'MOVED', object: {} },
  [[]],
  { type: 'ADDED', object: 'x'.repeat(9 * 1_048_576) },
])('an odd frame is no mistake of ours (case %#)', async (...odd) => {
  const server = await ScriptedServer.start((_seen, reply) => {
    reply.openStream();
    reply.frames(...odd);
  });
  const access = server.access();
  const transport = new Transport({ access, clock: new FakeClock(), version: '1' });
  const { signal } = new AbortController();
  const options = { timeoutSeconds: 300, silenceMs: 180_000, signal };
  const source = new ListWatch(transport, { resource: API_KEYS });
  await expect(source.watch(options, isInitialEnd)).rejects.toMatchObject({
    class: 'Transient',
    reason: 'UnexpectedAnswer',
  });
  transport.close();
  await server.stop();
});
