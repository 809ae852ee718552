import { describe, expect, it } from 'vitest';
import { credentialToken } from '../../../src/keys/token.ts';

const generation = { clusterId: 'c1', storeUid: 's1', apiKeyUid: 'k1', sequence: 1 };

describe('the token of a credential generation', () => {
  it('is 26 characters of Base32 and always the same', () => {
    expect(credentialToken(generation)).toMatch(/^[a-z2-7]{26}$/);
    expect(credentialToken({ ...generation })).toBe(credentialToken(generation));
    // Pinned: a token that changes loses every credential in flight.
    expect(credentialToken(generation)).toBe('lu7lm6tockjec4jkn3iamnbyxs');
  });

  it('differs with cluster, store, ApiKey and sequence, and where they run together', () => {
    const all = [
      generation,
      { ...generation, clusterId: 'c2' },
      { ...generation, storeUid: 's2' },
      { ...generation, apiKeyUid: 'k2' },
      { ...generation, sequence: 2 },
      { ...generation, clusterId: 'c1s', storeUid: '1' },
    ];
    expect(new Set(all.map((each) => credentialToken(each))).size).toBe(all.length);
  });
});
