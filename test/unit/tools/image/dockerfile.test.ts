import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entrypointOf, environmentOf, USER } from '../../../../tools/image/run.ts';

const ROOT = join(import.meta.dirname, '../../../..');

describe('the Dockerfile', () => {
  const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split('\n');
  const valueOf = (word: string): string =>
    lines.findLast((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? '';

  test('runs the program as npm run image does', () => {
    expect(JSON.parse(valueOf('ENTRYPOINT'))).toEqual(entrypointOf());
    expect(valueOf('USER')).toBe(`${USER}:${USER}`);
    const settings = Object.entries(environmentOf()).map(([name, value]) => `${name}=${value}`);
    expect(valueOf('ENV').split(' ')).toEqual(settings);
  });

  test('names images by short names, so that whoever builds chooses the registry', () => {
    const images = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    expect(images.at(-1)).toBe('scratch');
    for (const image of images) expect(image).not.toContain('/');
  });

  test('sees all that the build reads', () => {
    const seen = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .flatMap((line) => /^!(\S+)$/.exec(line)?.[1] ?? []);
    expect(seen.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(seen).toEqual(expect.arrayContaining(['src', 'tools', 'control-plane', 'LICENSE']));
  });
});
