/** Pure; the CRC-32 of zlib, byte by byte, for texts that are read letter by letter. */

const POLYNOMIAL = 0xedb8_8320;
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0);
  return rest;
});

/** Of nothing yet. */
export const CRC_BEGIN = -1;

/** With one more byte, 0 to 255. */
export function addToCrc32(crc: number, byte: number): number {
  return (crc >>> 8) ^ (TABLE[(crc ^ byte) & 255] ?? 0);
}

/** The number that zlib says, 0 to 2^32 - 1. */
export function endOfCrc32(crc: number): number {
  return ~crc >>> 0;
}
