/**
 * How the installed program runs: the flags of Node and the environment of its C library. The first
 * line of dist/keyward.js and the image's configuration both come from here.
 *
 * Most of it keeps memory small, with 10 000 keys as the measure:
 * - One arena for malloc, because each thread's own keeps its holes (11 MiB), trimmed when its end is
 *   free; pieces of 32 KiB and more, such as what sockets are read into, stay out of it (7 MiB).
 * - A young generation of half of V8's usual size, which is large enough for most of what a key needs
 *   to be gone when it is collected (a sixth less processor time per key than with 2 MiB; 16 gain
 *   little more), and an old one that is collected before it is three times what lives.
 * - The collector on the thread that makes the garbage: helpers are late on two busy cores (some 40
 *   MiB at the end of a burst) and cost more than they save.
 * - The collector in reach, so that src/bin/compaction.ts can give memory back after a burst.
 */

/** Flags that come before the program's file. */
export const NODE_FLAGS: readonly string[] = [
  '--expose-gc',
  '--max-semi-space-size=8',
  '--single-threaded-gc',
  '--heap-growing-percent=100',
];

/** Variables that must be set before the process starts, because malloc reads them first. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '32768',
};

/** The first line of the installed program, without a line end. */
export function shebang(): string {
  const settings = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  return ['#!/usr/bin/env', '-S', ...settings, 'node', ...NODE_FLAGS].join(' ');
}
