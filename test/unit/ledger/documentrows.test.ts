import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDocument, encodeDocuments, isStorable } from '../../../src/ledger/documentrows.ts';
import { aHold, holdChange } from '../../conformance/ledger.documents.ts';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\uD800', '\uDC00\0'));

describe('A document as a row', () => {
  it('comes back as it was, with the revision after its commit, and holds only storable text', () => {
    fc.assert(
      fc.property(text, text, fc.nat(), (message, reviewer, expectedRevision) => {
        const held = { state: 'Revoked', reviewUid: 'r', reviewer, message, sinceMs: 1 } as const;
        const change = { ...holdChange(aHold('a', { held })), expectedRevision };
        const [row] = encodeDocuments([change]);
        const columns = [...(row?.identity ?? []), ...(row?.content ?? [])];
        expect(columns.filter((each) => typeof each === 'string' && !isStorable(each))).toEqual([]);
        expect(decodeDocument(columns)).toEqual(
          aHold('a', { held, revision: expectedRevision + 1 }),
        );
      }),
    );
  });

  it('is not believed when somebody changed it', () => {
    const [row] = encodeDocuments([holdChange(aHold('a'))]);
    const columns = [...(row?.identity ?? []), ...(row?.content ?? [])];
    for (const [column, value] of [
      [7, '{'],
      [7, null],
      [5, 'x'],
    ] as const) {
      expect(() => decodeDocument(columns.with(column, value))).toThrow(
        expect.objectContaining({ class: 'Terminal', reason: 'RowCorrupt' }),
      );
    }
  });
});
