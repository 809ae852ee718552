/** How a container runs the program. The Dockerfile says the same, and a test compares. Pure. */
import { ENVIRONMENT, NODE_FLAGS } from '../program.ts';

/** User and group that the image runs as. */
export const USER = 65_532;
/** Where Node lies. */
export const NODE_PATH = '/usr/bin/node';
/** The bundle's folder. */
export const PROGRAM_FOLDER = '/usr/lib/keyward';
/** The only place for data; a volume is mounted here. */
export const DATA_FOLDER = '/var/lib/keyward';

/** What stands before the arguments of a container. */
export function entrypointOf(): readonly string[] {
  return [NODE_PATH, ...NODE_FLAGS, `${PROGRAM_FOLDER}/keyward.js`];
}

/** Variables of every process in a container, by name. */
export function environmentOf(): Readonly<Record<string, string>> {
  return { PATH: '/usr/bin', HOME: DATA_FOLDER, ...ENVIRONMENT };
}
