import { expect, test } from 'vitest';
import { librariesIn } from '../../../../control-plane/node/libraries.ts';

const LDD = `	linux-vdso.so.1 (0x00007ffd)
	libpcre2-8.so.0 => /var/tmp/unpacked/usr/lib/libpcre2-8.so.0 (0x00007f9f)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f9e)
	/lib64/ld-linux-x86-64.so.2 (0x00007f9d)
`;

test('libraries go to /lib, and the loader to where programs ask for it', () => {
  expect(librariesIn(LDD)).toEqual({
    '/lib/libpcre2-8.so.0': '/var/tmp/unpacked/usr/lib/libpcre2-8.so.0',
    '/lib/libc.so.6': '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib64/ld-linux-x86-64.so.2': '/lib64/ld-linux-x86-64.so.2',
  });
});

test('a static program needs none', () => {
  expect(librariesIn('	not a dynamic executable\n')).toEqual({});
});

test('a library that is not there is not made up', () => {
  expect(librariesIn('	libodd.so.1 => not found\n')).toEqual({});
});
