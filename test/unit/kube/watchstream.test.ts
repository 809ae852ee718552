import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLater } from '../../../src/kube/versions.ts';
import { FrameReader, type WatchFrame } from '../../../src/kube/watchstream.ts';

function read(pieces: readonly Buffer[]): WatchFrame[] {
  const frames: WatchFrame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  for (const piece of pieces) reader.push(piece);
  return frames;
}

test('where the network cuts a stream makes no difference, not even within a character', () => {
  const frames = ['a', 'grüße', '열쇠', ''].map((name) => ({ type: 'ADDED', object: { name } }));
  const bytes = Buffer.from(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const edges = [0, ...cuts, bytes.length];
      edges.sort((a, b) => a - b);
      const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
      expect(read(pieces)).toEqual(frames);
    }),
  );
});

test('a line that is not complete is not read', () => {
  expect(read([Buffer.from('{"type":"ADDED","object":{}}')])).toEqual([]);
});

test.each(['no JSON\n', '{"type":"OTHER"}\n', 'null\n', '[]\n'])('%j is refused', (line) => {
  expect(() => read([Buffer.from(line)])).toThrow(Error);
});

test('versions are compared as numbers of any length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n }), fc.bigInt({ min: 1n }), (a, b) => {
      expect(isLater(String(a), String(b))).toBe(a > b);
    }),
  );
  expect(isLater('', '1')).toBe(false);
});
