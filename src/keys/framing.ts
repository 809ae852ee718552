/** Pure; several values as one byte string in exactly one way, for digests and authentication. */

const LENGTH_BYTES = 4;

/**
 * Each part behind its length (4 bytes, big endian), so that no two lists of parts give the same
 * bytes. Text is UTF-8.
 */
export function frame(parts: readonly (string | Uint8Array)[]): Buffer {
  let size = 0;
  for (const part of parts) size += LENGTH_BYTES + Buffer.byteLength(part);
  const framed = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    const start = at + LENGTH_BYTES;
    const length = typeof part === 'string' ? framed.write(part, start, 'utf8') : part.length;
    if (typeof part !== 'string') framed.set(part, start);
    framed.writeUInt32BE(length, at);
    at = start + length;
  }
  return framed;
}
