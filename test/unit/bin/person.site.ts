/** An API server on loopback that has keys, and a kubeconfig that leads there. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedServer, type Script } from '../kube/scriptedserver.ts';

export type PersonSite = {
  readonly server: ScriptedServer;
  readonly kubeconfig: string;
  /** Methods and names of the writes that arrived. */
  readonly writes: () => readonly string[];
  readonly stop: () => Promise<void>;
};

/** Every object is there, and is whatever `objectAt` says; a write answers with it. */
export async function personSite(objectAt: (path: string) => object): Promise<PersonSite> {
  const script: Script = ({ path }, reply) =>
    reply.json(200, { metadata: { name: nameIn(path), namespace: 'shop' }, ...objectAt(path) });
  const server = await ScriptedServer.start(script);
  const folder = await mkdtemp(join(tmpdir(), 'keyward-person-'));
  const kubeconfig = join(folder, 'config');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      'current-context': 'one',
      contexts: [{ name: 'one', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${server.port}` } }],
      users: [{ name: 'u', user: { token: 'abc' } }],
    }),
  );
  return {
    server,
    kubeconfig,
    writes: () =>
      server.seen
        .filter(({ method }) => method !== 'GET')
        .map(({ method, path }) => `${method} ${nameIn(path)}`),
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function nameIn(path: string): string {
  return path.replace(/\?.*/, '').split('/').at(-1) ?? '';
}
