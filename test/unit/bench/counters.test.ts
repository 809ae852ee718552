/** What the bench reads out of the API server's metrics page. */
import { expect, test } from 'vitest';
import {
  difference,
  keyWrites,
  liveReads,
  parseRequests,
  writesBesideLeases,
} from '../../../bench/counters.ts';

const sample = (verb: string, resource: string, count: number, more = ''): string =>
  `apiserver_request_total{code="200",dry_run="",resource="${resource}",subresource="",verb="${verb}"${more}} ${count}`;

test('requests are added up over codes, and dry runs do not count', () => {
  const page = [
    '# TYPE apiserver_request_total counter',
    'apiserver_request_total{code="200",dry_run="",resource="apikeys",subresource="status",verb="PUT"} 7',
    'apiserver_request_total{code="409",dry_run="",resource="apikeys",subresource="status",verb="PUT"} 1',
    'apiserver_request_total{code="200",dry_run="All",resource="apikeys",subresource="status",verb="PUT"} 300',
    'apiserver_request_duration_seconds_count{resource="apikeys",verb="PUT"} 99',
  ].join('\n');
  expect([...parseRequests(page)]).toEqual([['PUT apikeys/status', 8]]);
});

test('a difference names only what moved', () => {
  const before = parseRequests(
    [sample('GET', 'leases', 3), sample('POST', 'secrets', 5)].join('\n'),
  );
  const after = parseRequests(
    [sample('GET', 'leases', 3), sample('POST', 'secrets', 9)].join('\n'),
  );
  expect([...difference(before, after)]).toEqual([['POST secrets', 4]]);
});

test('writes of keys, other writes and live reads are told apart', () => {
  const requests = new Map([
    ['POST secrets', 10],
    ['PUT apikeys/status', 10],
    ['PUT clusterkeystores/status', 1],
    ['PUT leases', 4],
    ['POST selfsubjectrulesreviews', 2],
    ['POST subjectaccessreviews', 2],
    ['POST tokenreviews', 2],
    ['GET leases', 4],
    ['GET secrets', 2],
    ['LIST apikeys', 1],
    ['WATCH apikeys', 1],
  ]);
  expect(keyWrites(requests)).toBe(20);
  expect(writesBesideLeases(requests)).toBe(21);
  expect(liveReads(requests)).toBe(3);
});
