/** Pure; several values as one byte string in exactly one way, for digests and authentication. */

/**
 * Each part behind its length (4 bytes, big endian), so that no two lists of parts give the same
 * bytes. Text is UTF-8.
 */
export function frame(parts: readonly (string | Uint8Array)[]): Buffer {
  const chunks: Uint8Array[] = [];
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    chunks.push(length, bytes);
  }
  return Buffer.concat(chunks);
}
