/**
 * Pure; a key in a query parameter, for those who cannot do without. It is taken out of the target before
 * anybody else sees that, so that it can be neither logged nor passed on from here.
 */
import { DOUBTFUL, NOTHING_SHOWN, readKeyHeader, type Shown } from './credential.ts';

/** What the query shows, and the target without it. */
type QueryReading = { readonly shown: Shown; readonly target: string };

/**
 * Looks for the parameter. Twice, encoded, in another case, or behind a semicolon, which some backends
 * take for a separator: doubtful.
 *
 * @param name letters, digits, `-`, `_`, `.`
 */
export function readQuery(target: string, name: string): QueryReading {
  const at = target.indexOf('?');
  if (at < 0) return { shown: NOTHING_SHOWN, target };
  let shown: Shown = NOTHING_SHOWN;
  let found = 0;
  const kept: string[] = [];
  for (const parameter of target.slice(at + 1).split('&')) {
    if (!mentions(parameter, name)) {
      kept.push(parameter);
      continue;
    }
    found += 1;
    shown = readParameter(parameter, name);
  }
  const path = target.slice(0, at);
  return {
    shown: found > 1 ? DOUBTFUL : shown,
    target: kept.length === 0 ? path : `${path}?${kept.join('&')}`,
  };
}

function readParameter(parameter: string, name: string): Shown {
  const prefix = `${name}=`;
  if (!parameter.startsWith(prefix)) return DOUBTFUL;
  const value = parameter.slice(prefix.length);
  // A key has no characters that need an encoding, so whatever is encoded was meant to be seen by some only.
  return /[%+;#]/.test(value) ? DOUBTFUL : readKeyHeader(value, 'Keyward');
}

/** Whether anybody could take one of its parts for the parameter. */
function mentions(parameter: string, name: string): boolean {
  return parameter.split(/[;#]/).some((part) => {
    const [written = ''] = part.split('=', 1);
    return decodeName(written).toLowerCase() === name.toLowerCase();
  });
}

/** As lenient backends read it: blanks around it and a list's brackets behind it do not count. */
function decodeName(text: string): string {
  const decoded = text
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  const [name = ''] = decoded.split('[', 1);
  let end = name.length;
  while (end > 0 && name.charCodeAt(end - 1) <= 32) end -= 1;
  return name.slice(0, end).trimStart();
}
