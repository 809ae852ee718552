import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { sortedEntries, tarball, type Entry } from '../../../../tools/image/tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'keyward-tar-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(path: string, content: string, mode = 0o644): Entry {
  return { kind: 'File', path, mode, content: Buffer.from(content) };
}

function bytesOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat(tarball(entries));
}

test('the tar of the machine reads back contents, modes, owners, links and long paths', () => {
  const long = `${'folder/'.repeat(15)}a-file-with-a-name-of-some-length.txt`;
  const tar = join(folder, 'all.tar');
  writeFileSync(
    tar,
    bytesOf([
      file(long, 'deep'),
      file('bin/program', 'x'.repeat(512), 0o755),
      file('empty', ''),
      { kind: 'Link', path: 'bin/same', target: '../bin/program' },
      { kind: 'Folder', path: 'data', mode: 0o700, owner: 65_532 },
    ]),
  );
  execFileSync('tar', ['xf', tar, '-C', folder]);
  expect(readFileSync(join(folder, long), 'utf8')).toBe('deep');
  expect(readFileSync(join(folder, 'bin/program'), 'utf8')).toBe('x'.repeat(512));
  expect(statSync(join(folder, 'bin/program')).mode & 0o777).toBe(0o755);
  expect(statSync(join(folder, 'empty')).size).toBe(0);
  expect(statSync(join(folder, 'empty')).mtimeMs).toBe(0);
  expect(readlinkSync(join(folder, 'bin/same'))).toBe('../bin/program');
  const listing = execFileSync('tar', ['tvf', tar, '--numeric-owner'], { encoding: 'utf8' });
  expect(listing).toMatch(/^drwx------ 65532\/65532 .* data\/$/m);
  expect(listing).toMatch(/^-rw-r--r-- 0\/0 .* empty$/m);
});

test('the bytes do not depend on the order in which entries were given', () => {
  const paths = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,3}(\/[a-c-]{1,3}){0,2}$/), {
    minLength: 2,
    maxLength: 12,
    // Nothing lies below a file.
    selector: (path) => path.split('/')[0],
  });
  fc.assert(
    fc.property(paths, (each) => {
      const entries = each.map((path) => file(path, path));
      expect(bytesOf(entries)).toEqual(bytesOf(entries.toReversed()));
    }),
  );
});

test('a folder comes before what it holds, whether or not it was named', () => {
  const paths = sortedEntries([file('a/b/c', ''), file('a-b', ''), file('a/b-c', '')]).map(
    ({ path }) => path,
  );
  expect(paths).toEqual(['a', 'a-b', 'a/b', 'a/b-c', 'a/b/c']);
});

test('a path that occurs twice, or does not fit, is refused', () => {
  expect(() => tarball([file('a', '1'), file('a', '2')])).toThrow('twice');
  expect(() => tarball([file('n'.repeat(101), '')])).toThrow('too long');
  expect(() => tarball([{ kind: 'Link', path: 'l', target: 't'.repeat(101) }])).toThrow('too long');
});
