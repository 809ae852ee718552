/**
 * Pure; whether a request comes from a registered site. A fence against embedding a key in other
 * people's pages, not authentication: programs can say any origin they like.
 *
 * 1. The site of a request is `Origin`, unless absent or `null`; else the origin of `Referer`.
 * 2. Where both are said and their hosts differ, where one cannot be read, or where only `null` is
 *    said, the answer is no.
 * 3. Host equal (`www.` is significant), scheme equal where registered, port equal, or the default
 *    port of the request's scheme where none is registered.
 * 4. A registered path is compared on whole segments with the Referer's, if that says more than
 *    `/`; browsers seldom do, and then `unknownPath` decides.
 * 5. Where nothing is said, `missing` decides.
 */
import { ownText } from '../kernel/owntext.ts';
import { normaliseHost } from './host.ts';
import { DEFAULT_PORTS, normalisePath, parsePort } from './site.ts';
import type { OriginPolicy, Site } from './terms.ts';

/** The two headers as received; absent and empty mean the same. */
export type OriginHeaders = {
  readonly origin?: string | undefined;
  readonly referer?: string | undefined;
};

/**
 * PathUnknown is a yes by `unknownPath: Allow`, told apart so that it can be counted. Missing and
 * NotAllowed are a no.
 */
type OriginDecision = 'Allowed' | 'PathUnknown' | 'Missing' | 'NotAllowed';

/** Decides about one request. Takes any text, never throws, runs in linear time. */
export function matchOrigin(policy: OriginPolicy, headers: OriginHeaders): OriginDecision {
  const said = readHeaders(headers);
  if (said === 'Nothing') return policy.missing === 'Allow' ? 'Allowed' : 'Missing';
  if (said === 'Doubtful') return 'NotAllowed';
  let decision: OriginDecision = 'NotAllowed';
  for (const site of policy.allowed) {
    const match = matchSite(site, said);
    if (match === 'Yes') return 'Allowed';
    if (match === 'PathUnknown' && policy.unknownPath === 'Allow') decision = 'PathUnknown';
  }
  return decision;
}

type RequestSite = {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** Always known: the default of the scheme where none is written. */
  readonly port: number;
  /** Doubtful: it is there, but not in a form that can be compared. */
  readonly path: { readonly text: string } | 'Unknown' | 'Doubtful';
};

function readHeaders(headers: OriginHeaders): RequestSite | 'Nothing' | 'Doubtful' {
  const { origin = '', referer = '' } = headers;
  if (origin === '' && referer === '') return 'Nothing';
  // The literal comes first: URL parsers take "https://null" for a host of that name.
  const hasOrigin = origin !== '' && origin !== 'null';
  if (!hasOrigin) return parseReferer(referer) ?? 'Doubtful';
  const site = parseOrigin(origin);
  if (site === undefined) return 'Doubtful';
  return referer === '' ? site : combine(site, parseReferer(referer));
}

/** The path is the Referer's, and counts only if the page lies in the very site that Origin says. */
function combine(site: RequestSite, page: RequestSite | undefined): RequestSite | 'Doubtful' {
  if (page === undefined || page.host !== site.host) return 'Doubtful';
  return page.scheme === site.scheme && page.port === site.port ? page : site;
}

/** Pages of few sites call a service: most origins were read before. */
const READ_MAX = 1_000;
/** Of bounded length, and the same when it is copied. */
const KEPT = /^[\x21-\x7e]{1,256}$/;
const read = new Map<string, RequestSite>();

/** An Origin header: nothing may stand behind host and port, nor may there be several. */
function parseOrigin(text: string): RequestSite | undefined {
  const known = read.get(text);
  if (known !== undefined) return known;
  const site = findOrigin(text);
  if (site === undefined || !KEPT.test(text)) return site;
  // Whoever sends many others empties this, and then origins take the time that they take anyway.
  if (read.size >= READ_MAX) read.clear();
  read.set(ownText(text), site);
  return site;
}

function findOrigin(text: string): RequestSite | undefined {
  const match = /^(https?):\/\/([^/]+)$/i.exec(text);
  return match === null ? undefined : parsePlace(match[1], match[2], 'Unknown');
}

function parseReferer(text: string): RequestSite | undefined {
  const match = /^(https?):\/\/([^/?#]+)([^?#]*)/i.exec(text);
  return match === null ? undefined : parsePlace(match[1], match[2], pathOf(match[3] ?? ''));
}

function pathOf(text: string): RequestSite['path'] {
  if (text === '' || text === '/') return 'Unknown';
  const path = normalisePath(text);
  return path === undefined ? 'Doubtful' : { text: path };
}

/** User information is refused, not skipped: browsers never send it. */
function parsePlace(
  schemeText: string | undefined,
  authority: string | undefined,
  path: RequestSite['path'],
): RequestSite | undefined {
  const scheme = schemeText?.toLowerCase() === 'https' ? 'https' : 'http';
  const [, hostText, portText] = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(authority ?? '') ?? [];
  const host = hostText === undefined ? undefined : normaliseHost(hostText);
  const port = portText === undefined ? DEFAULT_PORTS[scheme] : parsePort(portText);
  return host === undefined || port === undefined ? undefined : { scheme, host, port, path };
}

function matchSite(site: Site, said: RequestSite): 'Yes' | 'No' | 'PathUnknown' {
  if (site.scheme !== undefined && site.scheme !== said.scheme) return 'No';
  if (said.port !== (site.port ?? DEFAULT_PORTS[said.scheme])) return 'No';
  const isHost = site.subdomains ? said.host.endsWith(`.${site.host}`) : said.host === site.host;
  if (!isHost) return 'No';
  if (site.path === undefined) return 'Yes';
  if (said.path === 'Unknown') return 'PathUnknown';
  if (said.path === 'Doubtful') return 'No';
  const isBelow = said.path.text === site.path || said.path.text.startsWith(`${site.path}/`);
  return isBelow ? 'Yes' : 'No';
}
