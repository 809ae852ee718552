import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHAIN_START, type ChainEntry, hashEntry, writeFacts } from '../../../src/ledger/audit.ts';

const entry: ChainEntry = {
  commitNumber: 1,
  clusterId: 'cluster',
  atMs: 1_800_000_000_000,
  actor: 'operator',
  action: 'KeyIssued',
  uid: 'uid',
  facts: '{"sequence":1}',
};

function hexOf(previous: Uint8Array, of: ChainEntry): string {
  return Buffer.from(hashEntry(previous, of)).toString('hex');
}

describe('The hash of an audit entry', () => {
  it('stays what it is, because databases keep it', () => {
    expect(hexOf(CHAIN_START, entry)).toBe(
      'a47cff8eca942767f4bcd6ab144889ab9bb77ffe70ce60f60f32b643aace790c',
    );
  });

  it.each<Partial<ChainEntry>>([
    { commitNumber: 2 },
    { clusterId: 'other' },
    { atMs: entry.atMs + 1 },
    { actor: 'alice' },
    { action: 'KeyEnded' },
    { uid: 'other' },
    { facts: '{}' },
  ])('changes with every part of the entry: %o', (change) => {
    expect(hexOf(CHAIN_START, { ...entry, ...change })).not.toBe(hexOf(CHAIN_START, entry));
  });

  it('changes with the hash before it', () => {
    const second = hashEntry(CHAIN_START, entry);
    expect(hexOf(second, entry)).not.toBe(hexOf(CHAIN_START, entry));
  });

  it('does not depend on where one part ends and the next begins', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (actor, action, at) => {
        const cut = at % (actor.length + 1);
        fc.pre(cut < actor.length);
        const moved = { actor: actor.slice(0, cut), action: actor.slice(cut) + action };
        const apart = hexOf(CHAIN_START, { ...entry, actor, action });
        expect(hexOf(CHAIN_START, { ...entry, ...moved })).not.toBe(apart);
      }),
    );
  });
});

describe('Facts', () => {
  it('are the same text in whatever order they were named', () => {
    expect(writeFacts({ b: 1, a: 'x', c: true })).toBe('{"a":"x","b":1,"c":true}');
    expect(writeFacts({ c: true, a: 'x', b: 1 })).toBe(writeFacts({ b: 1, a: 'x', c: true }));
  });
});
