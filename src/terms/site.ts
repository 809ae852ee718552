/**
 * Pure; registered sites: `host`, `host:port` or `scheme://host[:port][/path]`, brought to one form
 * when they are admitted, so that requests need plain comparisons only.
 */
import { isAddress, normaliseAnyHost } from './host.ts';
import { isSharedSuffix } from './suffix.ts';
import type { Site } from './terms.ts';

const TEXT_MAX = 512;

/** Default ports, which are dropped where the scheme is known. */
export const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** What a site was read as, or why it is none: part of a sentence, safe to show. */
type SiteResult = { readonly site: Site } | { readonly problem: string };

/** Reads a registered site. Takes any text, never throws. */
export function parseSite(text: string): SiteResult {
  const problem = findForbidden(text);
  if (problem !== undefined) return { problem };
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/]*)(\/.*)?$/i.exec(text);
  const [, schemeText, authority = '', pathText] = match ?? [];
  const scheme = schemeText?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    return { problem: 'has a scheme other than http and https' };
  }
  if (scheme === undefined && pathText !== undefined) {
    return {
      problem: 'has a path without a scheme; write for example https://www.example.com/app',
    };
  }
  const place = parseAuthority(authority);
  if ('problem' in place) return place;
  const path = parseRegisteredPath(pathText ?? '/');
  if (path === undefined) {
    return { problem: 'has a path with dot segments, empty segments or an escaped slash' };
  }
  return { site: composeSite(scheme, place, path) };
}

/** The site as text, for messages and reviews. */
export function formatSite(site: Site): string {
  const scheme = site.scheme === undefined ? '' : `${site.scheme}://`;
  const port = site.port === undefined ? '' : `:${site.port}`;
  return `${scheme}${site.subdomains ? '*.' : ''}${site.host}${port}${site.path ?? ''}`;
}

/**
 * A path in which equal places have equal text: escapes of unreserved characters resolved, others in
 * capitals. Undefined where servers and browsers may see different paths: dot segments, escaped
 * slashes or control characters, broken escapes, anything but printable ASCII.
 */
export function normalisePath(path: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(path) || path.includes('\\')) return undefined;
  if (/%(?![0-9a-f]{2})|%(2f|5c|[01][0-9a-f]|7f)/i.test(path)) return undefined;
  const plain = path
    .replaceAll(/["<>^`{|}]/g, (character) => encodeURIComponent(character))
    .replaceAll(/%[0-9a-f]{2}/gi, resolveEscape);
  return /(^|\/)\.{1,2}(\/|$)/.test(plain) ? undefined : plain;
}

function resolveEscape(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
}

/** A port in decimal digits, 1 to 65535, without leading zeros. */
export function parsePort(text: string): number | undefined {
  const port = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

type Place = { readonly host: string; readonly subdomains: boolean; readonly port?: number };

function findForbidden(text: string): string | undefined {
  if (text.length === 0 || text.length > TEXT_MAX) return `has not 1 to ${TEXT_MAX} characters`;
  if (!text.isWellFormed() || /[\s\p{Cc}\p{Cf}\\]/u.test(text)) {
    return 'contains a blank, a control character or a backslash';
  }
  if (text.includes('@')) return 'contains user information ("@")';
  if (/[?#]/.test(text)) return 'contains a query or a fragment';
  return undefined;
}

function parseAuthority(authority: string): Place | { readonly problem: string } {
  const [, hostText = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority) ?? [];
  const port = portText === undefined ? undefined : parsePort(portText);
  if (portText !== undefined && port === undefined) {
    return { problem: 'has a port that is no number from 1 to 65535' };
  }
  const subdomains = hostText.startsWith('*.');
  const host = normaliseAnyHost(subdomains ? hostText.slice(2) : hostText);
  if (host === undefined) return { problem: 'has no exact host name' };
  if (subdomains && (isAddress(host) || isSharedSuffix(host))) {
    return { problem: 'has a wildcard over an address or over a domain that strangers share' };
  }
  return { host, subdomains, ...(port === undefined ? {} : { port }) };
}

/** Without the slash at its end; empty: no path. Undefined: refused. */
function parseRegisteredPath(text: string): string | undefined {
  const ascii = text.replaceAll(/[^\x21-\x7e]/gu, (each) => encodeURIComponent(each));
  const path = normalisePath(ascii);
  if (path === undefined || path.includes('//') || path.includes('*')) return undefined;
  return path.replace(/\/$/, '');
}

function composeSite(scheme: Site['scheme'], place: Place, path: string): Site {
  const isDefault = scheme !== undefined && place.port === DEFAULT_PORTS[scheme];
  return {
    ...(scheme === undefined ? {} : { scheme }),
    host: place.host,
    ...(place.subdomains ? { subdomains: true as const } : {}),
    ...(place.port === undefined || isDefault ? {} : { port: place.port }),
    ...(path === '' ? {} : { path }),
  };
}
