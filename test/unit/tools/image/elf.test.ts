import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { needsOf } from '../../../../tools/image/elf.ts';

test.skipIf(process.platform !== 'linux')('Node names its loader and the C library', () => {
  const { loader, libraries } = needsOf(readFileSync(process.execPath));
  expect(loader).toMatch(/^\/lib.*\/ld-.*\.so\.\d$/);
  expect(libraries).toContain('libc.so.6');
  expect(libraries).toContain('libstdc++.so.6');
});

test('what is no program of a 64-bit Linux is refused', () => {
  expect(() => needsOf(Buffer.from('#!/bin/sh\n'))).toThrow('ELF');
  expect(() => needsOf(Buffer.from('\x7fELF\x01\x01 of 32 bits', 'latin1'))).toThrow('ELF');
});
