/**
 * Pure; where a call goes, in a form in which equal places have equal text. A gateway routes a call, the
 * gate judges it, and a backend serves it, and each reads the path by rules of its own; so whatever
 * two servers are known to read differently is not interpreted but doubtful, and doubt is a no.
 * docs/gate.md lists what that is.
 */
import { normaliseHost } from './host.ts';
import { normalisePath, parsePort } from './site.ts';

/** A request line and its host, as the caller sent them; absent and empty mean the same. */
export type RequestLine = {
  readonly host?: string | undefined;
  readonly method?: string | undefined;
  /** Path with query. */
  readonly target?: string | undefined;
};

/** A place that everybody reads alike. */
export type Target = {
  /** Normal form without port, which callers can choose freely; absent: not said. */
  readonly host?: string;
  /** Capitals; absent: not said. */
  readonly method?: string;
  /**
   * Without query. Begins with `/`; no segment but the last is empty, none is a dot segment; escapes
   * only where needed, of well-formed UTF-8 in Unicode's form NFKC.
   */
  readonly path: string;
};

/** Longer targets are doubtful; common servers stop at 8 kB. */
export const TARGET_MAX = 8192;

/** Nothing to interpret: what most paths look like. Behind it stands the same answer as behind the rest. */
const PLAIN_PATH = /^(?:\/[0-9A-Za-z_~-]+(?:\.[0-9A-Za-z_~-]+)*)+$/;
const METHOD = /^[A-Z]{1,20}(?:-[A-Z]{1,20})?$/;

/** Reads a request line. Takes any text, never throws, in linear time. */
export function readTarget({
  host = '',
  method = '',
  target = '',
}: RequestLine): Target | 'Doubtful' {
  const path = readPath(target);
  const name = readHost(host);
  if (path === undefined || (host !== '' && name === undefined)) return 'Doubtful';
  if (method !== '' && !METHOD.test(method)) return 'Doubtful';
  return {
    ...(name === undefined ? {} : { host: name }),
    ...(method === '' ? {} : { method }),
    path,
  };
}

/**
 * The path of a request target in normal form, or undefined where it is doubtful: absolute form and `*`,
 * `#`, `//`, dot segments, `;` and `\`, segments that end with a dot or a blank, broken escapes, escapes of
 * `/ \ ; ? # %` and of control characters, all that is no printable ASCII, escapes that are no UTF-8
 * or not in form NFKC (full-width slashes, letters with detached accents), invisible characters.
 */
export function readPath(target: string): string | undefined {
  if (target.length > TARGET_MAX) return undefined;
  if (PLAIN_PATH.test(target)) return target;
  // The query decides nothing, but a raw byte or a fragment in it means that somebody reads it otherwise.
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(target)) return undefined;
  const path = /^[^?]*/.exec(target)?.[0] ?? '';
  if (/\/\/|;|%(?:3b|3f|23|25)/i.test(path)) return undefined;
  const plain = normalisePath(path);
  if (plain === undefined || /(?:\.|%20)(?:\/|$)/.test(plain)) return undefined;
  return isPlainUnicode(plain) ? plain : undefined;
}

/**
 * What a lenient server may take the path for: without escapes, in small letters. Two paths with the
 * same loose form are not sure to be different places. For paths that were read by `readPath`.
 */
export function loosePath(path: string): string {
  return (path.includes('%') ? decodeURIComponent(path) : path).toLowerCase();
}

function isPlainUnicode(path: string): boolean {
  if (!/%[89A-F]/.test(path)) return true;
  try {
    const text = decodeURIComponent(path);
    return text.normalize('NFKC') === text && !/[\p{Cc}\p{Cf}]/u.test(text);
  } catch {
    // No UTF-8: overlong forms of "/" and "." are the oldest trick of all.
    return false;
  }
}

/** The host without its port, which says nothing: whoever calls can write any. */
function readHost(text: string): string | undefined {
  const [, hostText, portText] = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(text) ?? [];
  if (portText !== undefined && parsePort(portText) === undefined) return undefined;
  return hostText === undefined ? undefined : normaliseHost(hostText);
}
