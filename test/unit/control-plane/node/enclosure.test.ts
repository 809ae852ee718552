import { describe, expect, test } from 'vitest';
import { obstacle } from '../../../../control-plane/node/enclosure.ts';
import {
  INSIDE,
  KERNEL_SETTINGS,
  OUTSIDE,
} from '../../../../control-plane/node/enclosure.scripts.ts';
import { execFileSync } from 'node:child_process';

describe('a real node', () => {
  test('is refused in one sentence to whoever is not root', () => {
    expect(obstacle('linux', 1000)).toMatch(/^a real node needs root .*sudo$/);
  });

  test('is refused where there is no Linux, with another way', () => {
    expect(obstacle('darwin', 0)).toMatch(/needs Linux.*darwin.*deploy\/kind/);
  });

  test('is not refused to root on Linux', () => {
    expect(obstacle('linux', 0)).toBeUndefined();
  });
});

describe('the scripts around a node', () => {
  test.each([
    ['outside', OUTSIDE],
    ['inside', INSIDE],
  ])('are shell that parses: %s', (_name, script) => {
    expect(() => execFileSync('/bin/sh', ['-n', '-c', script])).not.toThrow();
  });

  test('mount and set up the network inside only', () => {
    expect(OUTSIDE).not.toMatch(/(^|\s)mount -|\bip (link|addr|route)/);
    expect(OUTSIDE).toMatch(/unshare --mount --net --pid/);
  });

  test('remove only what carries the name of their own cgroup', () => {
    const removals = OUTSIDE.split('\n').filter((line) => /rmdir|rm -rf/.test(line));
    expect(removals).toHaveLength(2);
    for (const line of removals) expect(line).toMatch(/"\$top"|"\$work"/);
    expect(OUTSIDE).toContain('/sys/fs/cgroup"$cgroup" /sys/fs/cgroup/*"$cgroup"');
  });

  test('put a file in the place of every kernel setting that the kubelet would write', () => {
    expect(Object.keys(KERNEL_SETTINGS)).toEqual(
      expect.arrayContaining(['vm.overcommit_memory', 'kernel.panic', 'kernel.panic_on_oops']),
    );
    expect(INSIDE).toContain('mount --bind "$work/sysctl/$name"');
  });
});
