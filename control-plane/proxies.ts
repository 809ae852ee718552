/**
 * Starts real gateways on a configuration, for tests and the demo: each with a folder of its own,
 * gone with the process that started it. `gateways.ts` finds the programs.
 */
import { chmod, chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCaddy, findHaproxy, findNginx, type GatewayProgram } from './gateways.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { startWatchdog } from './watchdog.ts';

/** Who runs a program that we, being root, do not want to run as root; he owns nothing. */
const NOBODY = 65_534;

/** A file that a gateway reads, by its name in the gateway's folder. */
type Files = Readonly<Record<string, string>>;

type Start = {
  readonly name: string;
  readonly find: () => Promise<GatewayProgram | undefined>;
  readonly files: (folder: string) => Files;
  readonly args: (folder: string) => readonly string[];
  readonly env?: (folder: string) => Readonly<Record<string, string>>;
  /** That it listens at when it is ready. */
  readonly port: number;
};

/**
 * nginx with this file in its http block. Paths below `/var/log/nginx` are moved to its folder.
 *
 * @param port one that it listens at
 */
export function startNginx(configuration: string, port: number): Promise<Proxy> {
  const moved = (folder: string): string =>
    configuration.replace(/\/var\/log\/nginx\/(\w+)\.log/g, `${folder}/log.$1`);
  const main = (folder: string): string =>
    [
      'daemon off;',
      // One process: nothing is left behind when it is killed.
      'master_process off;',
      `pid ${folder}/pid;`,
      `error_log ${folder}/log.errors info;`,
      'events { worker_connections 1024; }',
      'http {',
      '  access_log off;',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `  ${kind}_temp_path ${folder}/${kind};`,
      ),
      `  include ${folder}/keyward.conf;`,
      '}',
      '',
    ].join('\n');
  return start({
    name: 'nginx',
    find: findNginx,
    files: (folder) => ({ 'nginx.conf': main(folder), 'keyward.conf': moved(folder) }),
    args: (folder) => ['-p', folder, '-e', join(folder, 'log.start'), '-c', `${folder}/nginx.conf`],
    port,
  });
}

/** Caddy with this Caddyfile; see `startNginx`. */
export function startCaddy(caddyfile: string, port: number): Promise<Proxy> {
  return start({
    name: 'caddy',
    find: findCaddy,
    // Its own administration would listen at a port that is the same for all.
    files: () => ({ Caddyfile: `{\n\tadmin off\n}\n${caddyfile}` }),
    args: (folder) => ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
    env: (folder) => ({ HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }),
    port,
  });
}

/** HAProxy with this configuration and Lua file; paths below `/etc/haproxy` are moved to its folder. */
export function startHaproxy(configuration: string, lua: string, port: number): Promise<Proxy> {
  return start({
    name: 'haproxy',
    find: findHaproxy,
    files: (folder) => ({
      'haproxy.cfg': configuration.replaceAll('/etc/haproxy/', `${folder}/`),
      'keyward.lua': lua,
    }),
    args: (folder) => ['-db', '-f', join(folder, 'haproxy.cfg')],
    port,
  });
}

async function start({ name, find, files, args, env, port }: Start): Promise<Proxy> {
  const program = await find();
  if (program === undefined) throw new Error(`${name} cannot be had here`);
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  const folder = await mkdtemp(join(tmpdir(), `keyward-${name}-`));
  const watchdog = startWatchdog(folder);
  await chmod(folder, 0o755);
  if (uid !== undefined) await chown(folder, uid, uid);
  for (const [file, text] of Object.entries(files(folder)))
    await writeFile(join(folder, file), text);
  return startProxy(
    {
      name,
      path: program.path,
      args: args(folder),
      logFile: join(folder, 'log'),
      env: { ...program.env, ...env?.(folder) },
      ...(uid === undefined ? {} : { uid }),
    },
    { folder, port, watchdog },
  );
}
