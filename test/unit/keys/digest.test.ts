import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  digestSecret,
  digestText,
  DUMMY_DIGEST,
  equalDigests,
  isDigestAt,
  joinDigests,
} from '../../../src/keys/digest.ts';

const input = {
  pepper: Buffer.alloc(32, 7),
  keyId: '4fJ2mXq0ZpT7aBc9',
  secret: 'Zz09'.repeat(10) + 'abc',
};

describe('the digest', () => {
  it('is SHA-256 over pepper, keyId and secret in this order', () => {
    const expected = createHash('sha256')
      .update(input.pepper)
      .update(input.keyId)
      .update(input.secret)
      .digest();
    expect(digestSecret(input)).toEqual(expected);
  });

  it('is the same for text and bytes', () => {
    expect(digestSecret({ ...input, secret: Buffer.from(input.secret) })).toEqual(
      digestSecret(input),
    );
  });

  it('changes with each of its three parts', () => {
    const digests = [
      input,
      { ...input, pepper: Buffer.alloc(32, 8) },
      { ...input, keyId: '4fJ2mXq0ZpT7aBc8' },
      { ...input, secret: input.secret.replace('Z', 'Y') },
    ].map((each) => digestSecret(each).toString('hex'));
    expect(new Set(digests).size).toBe(4);
  });

  it.each([
    ['pepper', { ...input, pepper: Buffer.alloc(31) }],
    ['keyId', { ...input, keyId: 'short' }],
    ['secret', { ...input, secret: `${input.secret}x` }],
  ])('refuses a %s of another length, without saying its content', (_part, wrong) => {
    expect(() => digestSecret(wrong)).toThrow('does not have the length of the layout');
  });

  it('is never the dummy that stands in for unknown ids', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (pepper) => {
        expect(isDigestAt(DUMMY_DIGEST, 0, digestText({ ...input, pepper }))).toBe(false);
      }),
    );
  });

  it('compares equal digests only, and lengths without throwing', () => {
    const digest = digestSecret(input);
    expect(equalDigests(digest, Buffer.from(digest))).toBe(true);
    expect(equalDigests(digest, digest.subarray(1))).toBe(false);
    expect(equalDigests(digest, Buffer.alloc(0))).toBe(false);
    const flipped = Buffer.from(digest);
    flipped[31] = (flipped[31] ?? 0) ^ 1;
    expect(equalDigests(digest, flipped)).toBe(false);
  });

  it('says the same of digests as text and as bytes, whatever they are', () => {
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 34 });
    const pair = fc.oneof(
      fc.tuple(bytes, bytes),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).chain((digest) =>
        fc.tuple(fc.nat(31), fc.nat(255)).map(([at, mask]) => {
          const other = Uint8Array.from(digest);
          other[at] = (other[at] ?? 0) ^ mask;
          return [digest, other] as const;
        }),
      ),
    );
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const isDigest = a.length === 32 && b.length === 32;
        const joined = joinDigests([digestSecret(input), a, digestSecret(input)]);
        fc.pre(b.some((byte) => byte !== 0));
        expect(isDigestAt(joined, 1, Buffer.from(b).toString('latin1'))).toBe(
          isDigest && equalDigests(a, b),
        );
        for (const at of [0, 2]) expect(isDigestAt(joined, at, digestText(input))).toBe(true);
        for (const at of [-1, 3]) expect(isDigestAt(joined, at, digestText(input))).toBe(false);
      }),
    );
  });

  it('leaves nothing of one secret in the next digest, also behind one that was refused', () => {
    const expected = digestText(input);
    digestText({ ...input, pepper: Buffer.alloc(32, 9), secret: 'x'.repeat(43) });
    expect(() => digestText({ ...input, secret: '' })).toThrow('length of the layout');
    expect(digestText(input)).toBe(expected);
  });
});
