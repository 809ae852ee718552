/** PostgreSQL beside the node: a server of its own, which pods reach at the node's address. */
import { NODE_ADDRESS } from '../control-plane/node/layout.ts';
import { carry } from '../control-plane/node/window.ts';
import { startPostgres } from '../control-plane/postgres.ts';
import { SYSTEM, type Stage } from './stage.ts';

const PORT = 5432;

/** Starts it and puts its address into the Secret that the chart is told of. */
export async function openDatabase(stage: Stage): Promise<void> {
  const server = await startPostgres();
  await carry({ host: NODE_ADDRESS, port: PORT }, { host: server.host, port: server.port });
  const version = await server.sql('SHOW server_version');
  stage.screen.proof(`PostgreSQL ${version.trim()} at ${NODE_ADDRESS}:${PORT}`);
  const url = `postgres://${server.user}:${server.password}@${NODE_ADDRESS}:${PORT}/postgres?sslmode=disable`;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keyward-database', namespace: SYSTEM },
    stringData: { url },
  };
  await stage.kubectl('create', 'namespace', SYSTEM);
  stage.screen.command('kubectl apply -f keyward-database.yaml');
  stage.screen.block(await stage.ask(['apply', '-f', '-'], JSON.stringify(secret)));
}
