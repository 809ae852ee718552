/**
 * What the API server itself counted: requests by verb and resource, from its metrics page. The
 * server does not say who asked, so a difference means something only while nobody else asks.
 */

/** Requests so far, by `VERB resource[/subresource]`, dry runs left out; refused ones included. */
export type Requests = ReadonlyMap<string, number>;

const LINE = /^apiserver_request_total\{([^}]*)\} (\S+)$/gm;
const LABEL = /(\w+)="([^"]*)"/g;

/** Reads the page in Prometheus' text form. */
export function parseRequests(page: string): Requests {
  const counts = new Map<string, number>();
  for (const [, labelText = '', value] of page.matchAll(LINE)) {
    const labels = new Map([...labelText.matchAll(LABEL)].map(([, name, text]) => [name, text]));
    if (labels.get('dry_run')) continue;
    const resource = labels.get('resource') ?? '';
    const subresource = labels.get('subresource') ? `/${labels.get('subresource')}` : '';
    const name = `${labels.get('verb')} ${resource}${subresource}`;
    counts.set(name, (counts.get(name) ?? 0) + Number(value));
  }
  return counts;
}

/** What was asked between two looks; entries that did not move are left out. */
export function difference(before: Requests, after: Requests): Requests {
  const moved = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return new Map(moved.filter(([, count]) => count !== 0));
}

const WRITE = /^(POST|PUT|PATCH|APPLY|DELETE) /;
const OF_KEYS = / (secrets|apikeys)(\/|$)/;
/** Answered and never kept; the Lease is renewed by the clock and not by keys. */
const NO_WRITE = / (leases|tokenreviews|\w*subject(access|rules)reviews)$/;
const READ = /^(GET|LIST) /;

/** Writes to Secrets and ApiKeys, in whatever way. */
export function keyWrites(requests: Requests): number {
  return sum(requests, (name) => WRITE.test(name) && OF_KEYS.test(name));
}

/** Writes to anything but the Lease; questions are none. */
export function writesBesideLeases(requests: Requests): number {
  return sum(requests, (name) => WRITE.test(name) && !NO_WRITE.test(name));
}

/** GET and LIST of Secrets and ApiKeys; watches, which begin with the list, are not among them. */
export function liveReads(requests: Requests): number {
  return sum(requests, (name) => READ.test(name) && OF_KEYS.test(name));
}

function sum(requests: Requests, isWanted: (name: string) => boolean): number {
  return [...requests]
    .filter(([name]) => isWanted(name))
    .reduce((total, [, count]) => total + count, 0);
}
