import { expect, test } from 'vitest';
import { startNotices } from '../../../src/bin/notices.ts';
import { createRegistry } from '../../../src/kernel/metrics.ts';

test('a secret file that is not there is told by its setting and name, not as a mistake of ours', async () => {
  const webhook = { url: new URL('https://hooks.example'), secretFile: '/nowhere/secret' };
  const parts = { webhook, registry: createRegistry(), stop: AbortSignal.abort() };
  await expect(startNotices({ ...parts, deps: {} as never })).rejects.toMatchObject({
    class: 'Terminal',
    message: '--webhook-secret-file: /nowhere/secret cannot be read (ENOENT)',
  });
});
