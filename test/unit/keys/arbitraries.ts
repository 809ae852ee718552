/** Random pieces of keys, for the properties of their layout. */
import fc from 'fast-check';

/** The letters of values. */
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'.split('');

/** So many of them. */
export const base62 = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...BASE62), minLength: length, maxLength: length });

/** What `buildValue` joins. */
export const parts = fc.record({
  prefix: fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/),
  keyId: base62(16),
  secret: base62(43),
});
