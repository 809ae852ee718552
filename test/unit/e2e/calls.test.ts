import { describe, expect, test } from 'vitest';
import { readCalls } from '../../../e2e/calls.ts';

describe("the workload's log", () => {
  test('is counted by answers, refusals and keys in the order of their first call', () => {
    const log = [
      'called with kw_1: 200',
      'called with kw_1: wget: server returned error: HTTP/1.1 503 Service Unavailable',
      'called with kw_2: 200',
      'called with kw_1: 200',
    ].join('\n');
    expect(readCalls(log)).toEqual({
      answered: 3,
      refused: ['called with kw_1: wget: server returned error: HTTP/1.1 503 Service Unavailable'],
      keyIds: ['kw_1', 'kw_2'],
    });
  });

  test('may end in the middle of a line, or hold lines of others', () => {
    expect(readCalls('something else\ncalled with')).toEqual({
      answered: 0,
      refused: [],
      keyIds: [],
    });
  });

  test('counts a call without a reason as refused', () => {
    expect(readCalls('called with kw_1: ').refused).toHaveLength(1);
  });
});
