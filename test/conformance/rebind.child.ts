/**
 * A process that binds a database to another cluster and is killed when everything is written and nothing
 * is committed yet. Arguments: the URL, and the time to write.
 */
import { openArchive } from '../../src/ledger/open.ts';
import { readBound, rebindArchive } from '../../src/ledger/rebind.ts';

// Only tests start this file.
const [, , url = '', atMs = '0'] = process.argv;
const archive = await openArchive(url, 'Change');
const { forms, clients } = await readBound(archive);
await rebindArchive(
  {
    ...archive,
    commit: async () => {
      process.kill(process.pid, 'SIGKILL');
      // The signal is on its way.
      await new Promise(() => undefined);
    },
  },
  {
    actor: 'me',
    atMs: Number(atMs),
    incarnation: 'e'.repeat(32),
    clusterId: 'cluster-2',
    keyUids: new Map(),
    successions: [
      ...forms.map((old) => ({ kind: 'Form' as const, old, next: undefined, because: 'test' })),
      ...clients.map((old) => ({ kind: 'Client' as const, old, next: undefined })),
    ],
  },
);
