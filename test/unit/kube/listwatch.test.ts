import { expect, test } from 'vitest';
import { API_KEYS } from '../../../src/api/names.ts';
import { isInitialEnd, ListWatch } from '../../../src/kube/listwatch.ts';
import { Transport } from '../../../src/kube/transport.ts';
import { FakeClock } from '../../support/clock.ts';
import { ScriptedServer } from './scriptedserver.ts';

test.each([null, 3, 'text'])(
  'a frame with %j for an object is no mistake of ours',
  async (object) => {
    const server = await ScriptedServer.start((_seen, reply) => {
      reply.openStream();
      reply.frames({ type: 'BOOKMARK', object });
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
  },
);
