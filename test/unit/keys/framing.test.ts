import { describe, expect, test } from 'vitest';
import { frame } from '../../../src/keys/framing.ts';

describe('frame', () => {
  test('puts each part behind its length in bytes, text as UTF-8', () => {
    const framed = frame(['a', '', '키é', new Uint8Array([7, 0])]);
    expect(framed.toString('hex')).toBe(
      '0000000161' + '00000000' + '00000005ed82a4c3a9' + '000000020700',
    );
  });

  test('gives half of a surrogate pair the bytes that stand for no character', () => {
    expect(frame(['\ud800x']).toString('hex')).toBe('00000004efbfbd78');
  });

  test('is empty without parts', () => {
    expect(frame([])).toHaveLength(0);
  });
});
