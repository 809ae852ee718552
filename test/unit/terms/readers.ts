/** Other people's ideas of which path a request target means. */

/** How servers, proxies and frameworks are known to take a target for a path. */
export const READERS: Readonly<Record<string, (target: string) => string>> = {
  'as it stands': (target) => target.replace(/\?.*/s, ''),
  'decoded once': (target) => unescape(target.replace(/\?.*/s, '')),
  'decoded twice': (target) => unescape(unescape(target.replace(/\?.*/s, ''))),
  'decoded before the query is cut': (target) => unescape(target).replace(/\?.*/s, ''),
  'fragment cut': (target) => unescape(target.replace(/[?#].*/s, '')),
  'decoded, fragment cut': (target) => unescape(target).replace(/[?#].*/s, ''),
  'slashes merged': (target) => unescape(target.replace(/\?.*/s, '')).replaceAll(/\/+/g, '/'),
  'dots resolved before decoding': (target) => unescape(resolveDots(target.replace(/\?.*/s, ''))),
  'dots resolved after decoding': (target) => resolveDots(unescape(target.replace(/\?.*/s, ''))),
  'parameters cut, dots resolved': (target) =>
    resolveDots(unescape(target.replace(/\?.*/s, '')).replaceAll(/;[^/]*/g, '')),
  'backslashes turned': (target) =>
    resolveDots(unescape(target.replace(/\?.*/s, '')).replaceAll('\\', '/')),
  'dots and blanks at ends of segments cut': (target) =>
    unescape(target.replace(/\?.*/s, '')).replaceAll(/[. ]+(?=\/|$)/g, ''),
  'cut at NUL': (target) => unescape(target.replace(/\?.*/s, '')).replace(/\0.*/s, ''),
  'control characters dropped': (target) =>
    resolveDots(unescape(target.replace(/\?.*/s, '')).replaceAll(/\p{Cc}/gu, '')),
  'compatible characters folded': (target) =>
    resolveDots(unescape(target.replace(/\?.*/s, '')).normalize('NFKC')),
  'WHATWG URL': (target) => unescape(URL.parse(target, 'http://h.example')?.pathname ?? 'none'),
};

/** Takes broken escapes as they stand, and bytes that are no UTF-8 for U+FFFD. */
export function unescape(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
  );
}

function resolveDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
