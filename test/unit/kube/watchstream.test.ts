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

const LIST = [
  { manager: 'x', fieldsV1: { 'f:metadata': { 'k:{"name":"a"}': {} } } },
  { manager: 'y' },
];
/** Texts that look like what the reader looks for. */
const AWKWARD = [
  ',"managedFields":[',
  '"}],"name":"b","resourceVersion":"1","uid":"2"},"spec":{}',
  '\\","managedFields":[{}]',
  '"}]}}}',
  'grüße',
];
const texts = fc.dictionary(
  fc.constantFrom('managedFields', 'resourceVersion', 'uid', 'name', 'spec', 'x'),
  fc.oneof(fc.constantFrom(...AWKWARD), fc.string()),
);

test('what a custom resource says is read whole but for its managedFields', () => {
  fc.assert(
    fc.property(texts, texts, fc.boolean(), fc.boolean(), (annotations, free, isOwned, hasList) => {
      const before = { annotations, finalizers: ['a/b'], generation: 1, labels: free };
      const after = { name: 'a', namespace: 'n', resourceVersion: '12', uid: 'fec4-27' };
      const owners = isOwned ? { ownerReferences: [{ name: 'o' }] } : {};
      const framed = (list: object) => {
        const metadata = { ...before, ...list, ...after, ...owners };
        const spec = { secret: { labels: free }, list: [{ managedFields: [free] }] };
        const status = { message: free.x };
        const object = { apiVersion: 'k.dev/v1', kind: 'Kind', metadata, spec, status };
        return { type: 'MODIFIED' as const, object };
      };
      const frame = framed(hasList ? { managedFields: LIST } : {});
      const [found] = read([Buffer.from(`${JSON.stringify(frame)}\n`)]);
      // With owners the order is another one, and the frame is read as it is.
      expect(found).toEqual(isOwned ? frame : framed({}));
    }),
  );
});

test('what is sent as metadata alone is read whole but for its managedFields', () => {
  fc.assert(
    fc.property(texts, fc.boolean(), (annotations, hasList) => {
      const framed = (list: object) => {
        const metadata = { name: 'a', uid: 'u', resourceVersion: '3', annotations, ...list };
        const object = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
        return { type: 'ADDED' as const, object };
      };
      const frame = framed(hasList ? { managedFields: LIST } : {});
      expect(read([Buffer.from(`${JSON.stringify(frame)}\n`)])).toEqual([framed({})]);
    }),
  );
});

test.each([
  {
    apiVersion: 'v1',
    kind: 'Kind',
    metadata: { managedFields: LIST, name: 'a', uid: 'u' },
    spec: 1,
  },
  { kind: 'Kind', metadata: { managedFields: LIST } },
  { kind: 'PartialObjectMetadata', metadata: { managedFields: LIST, name: 'a' } },
  { kind: 'PartialObjectMetadata', metadata: { managedFields: LIST }, further: 1 },
])('an object in an unknown order is read as it is: %j', (object) => {
  const frame = { type: 'ADDED', object };
  expect(read([Buffer.from(`${JSON.stringify(frame)}\n`)])).toEqual([frame]);
});

test('versions are compared as numbers of any length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n }), fc.bigInt({ min: 1n }), (a, b) => {
      expect(isLater(String(a), String(b))).toBe(a > b);
    }),
  );
  expect(isLater('', '1')).toBe(false);
});
