/**
 * Pure; reads the requests that gateways send all day: a plain head without body, in one spelling. It takes
 * a part of what Node's parser takes and understands that part in the same way; all else is for Node,
 * which has the words to refuse it.
 */

/** A request without body. */
export type Head = {
  readonly method: string;
  readonly target: string;
  /** Names and contents in turn, as received, as Latin-1. */
  readonly pairs: readonly string[];
};

// Names of RFC 9110 tokens; contents without control characters; every line ends with CR LF. No class
// overlaps with what may follow it, so both take linear time.
const LINE = String.raw`(?:GET|POST|PUT|PATCH|DELETE|OPTIONS) \/auth\/[\x21\x22\x24-\x7e]+ HTTP\/1\.1\r\n`;
const FIELD = String.raw`[!#-'*+.0-9A-Z^-z|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n`;
const WHOLE = new RegExp(String.raw`^${LINE}(?:${FIELD})+\r\n$`);
const BEGUN = new RegExp(String.raw`^${LINE}(?:${FIELD})*[\t\x20-\x7e\x80-\xff]*\r?$`);

/** Whether more bytes could make it a request that `readHead` takes, as far as it is there. */
export function isBegun(text: string): boolean {
  return BEGUN.test(text);
}

/** The request; undefined: not one of these, or not only one. */
export function readHead(text: string): Head | undefined {
  if (!WHOLE.test(text)) return undefined;
  const methodEnd = text.indexOf(' ');
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  const pairs = readPairs(text, text.indexOf('\r\n', targetEnd) + 2);
  if (!isPlain(pairs)) return undefined;
  return { method: text.slice(0, methodEnd), target: text.slice(methodEnd + 1, targetEnd), pairs };
}

function readPairs(text: string, from: number): readonly string[] {
  const pairs: string[] = [];
  for (let at = from; at < text.length - 2;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    pairs.push(text.slice(at, colon), contentOf(text, colon + 1, end));
    at = end + 2;
  }
  return pairs;
}

/** Without the blanks around it. */
function contentOf(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** One host, no body, and nothing that asks for another treatment of the connection. */
function isPlain(pairs: readonly string[]): boolean {
  let hosts = 0;
  let lengths = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const meaning = meaningOf(pairs[i] ?? '', pairs[i + 1] ?? '');
    if (meaning === 'Special') return false;
    if (meaning === 'Host') hosts += 1;
    if (meaning === 'NoBody') lengths += 1;
  }
  return hosts === 1 && lengths <= 1;
}

/** Names by their length, which tells most apart at once. */
const SPECIAL: readonly (readonly string[] | undefined)[] = byLength([
  'expect',
  'upgrade',
  'trailer',
  'proxy-connection',
  'transfer-encoding',
]);

function meaningOf(name: string, content: string): 'Host' | 'NoBody' | 'Special' | 'None' {
  if (name.length === 4) return name.toLowerCase() === 'host' ? 'Host' : 'None';
  if (name.length === 14 && name.toLowerCase() === 'content-length') {
    return content === '0' ? 'NoBody' : 'Special';
  }
  if (name.length === 10 && name.toLowerCase() === 'connection') {
    return /^(?:keep-alive)?$/i.test(content) ? 'None' : 'Special';
  }
  return SPECIAL[name.length]?.includes(name.toLowerCase()) ? 'Special' : 'None';
}

function byLength(names: readonly string[]): readonly (readonly string[] | undefined)[] {
  const table: string[][] = [];
  for (const name of names) (table[name.length] ??= []).push(name);
  return table;
}
