/**
 * Real gateways for tests and the demo, from Debian's packages, unpacked and not installed. They run
 * without root.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findDebianProgram, type DebianProgram } from './debian.ts';

const run = promisify(execFile);

/** A program that can be started. */
export type GatewayProgram = {
  readonly path: string;
  /** Variables that it needs beside ours. */
  readonly env: Readonly<Record<string, string>>;
  /** As it says itself, such as `1.22.1`. */
  readonly version: string;
};

/** nginx with its `auth_request`; undefined where there is none and none can be had. */
export function findNginx(): Promise<GatewayProgram | undefined> {
  const wanted = {
    program: 'nginx',
    installed: ['/usr/sbin', '/usr/local/sbin'],
    packages: ['nginx', 'libpcre2-8-0', 'libssl3'],
    folder: 'usr/sbin',
  };
  return find(wanted, ['-v']);
}

/** Caddy; undefined where there is none and none can be had. */
export function findCaddy(): Promise<GatewayProgram | undefined> {
  const wanted = { program: 'caddy', installed: [], packages: ['caddy'], folder: 'usr/bin' };
  return find(wanted, ['version']);
}

/** HAProxy with Lua; undefined where there is none and none can be had. */
export function findHaproxy(): Promise<GatewayProgram | undefined> {
  const wanted = {
    program: 'haproxy',
    installed: ['/usr/sbin', '/usr/local/sbin'],
    packages: [
      'haproxy',
      'liblua5.3-0',
      'libopentracing-c-wrapper0',
      'libopentracing1',
      'libpcre2-8-0',
      'libssl3',
      'libsystemd0',
    ],
    folder: 'usr/sbin',
  };
  return find(wanted, ['-v']);
}

async function find(
  wanted: DebianProgram,
  versionFlags: readonly string[],
): Promise<GatewayProgram | undefined> {
  const found = await findDebianProgram(wanted);
  if (found === undefined) return undefined;
  const path = join(found.folder, wanted.program);
  const env = found.libraries === undefined ? {} : { LD_LIBRARY_PATH: found.libraries };
  try {
    const { stdout, stderr } = await run(path, versionFlags, { env: { ...process.env, ...env } });
    const version = /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'of unknown version';
    return { path, env, version };
  } catch (error) {
    // A package of another release may want libraries that this machine does not have.
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    process.stderr.write(`${wanted.program} does not run here: ${reason}\n`);
    return undefined;
  }
}
