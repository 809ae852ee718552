import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addToCrc32, CRC_BEGIN, endOfCrc32 } from '../../../src/keys/crc32.ts';

it('the CRC-32 of a text is that of zlib, whatever its bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(endOfCrc32(bytes.reduce(addToCrc32, CRC_BEGIN))).toBe(crc32(bytes));
    }),
  );
});
