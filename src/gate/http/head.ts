/**
 * Pure; reads the requests that gateways send all day: a plain head without body, in one spelling. It takes
 * a part of what Node's parser takes and understands that part in the same way; all else is for Node,
 * which has the words to refuse it.
 */
import { isName } from '../reading/names.ts';

/** The line of a request, and where its headers begin. */
type Line = { readonly method: string; readonly target: string; readonly fieldsAt: number };

/** Whoever is told of each header in turn; see `Found`. */
type FieldSink = {
  /** Below 0: its content is not wanted. */
  meet(text: string, from: number, to: number): number;
  /** As received, without the blanks around it. */
  keep(slot: number, content: string): void;
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

/** The line of a request; undefined: not one of these, or not only one. */
export function readLine(text: string): Line | undefined {
  if (!WHOLE.test(text)) return undefined;
  const methodEnd = text.indexOf(' ');
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  return {
    method: text.slice(0, methodEnd),
    target: text.slice(methodEnd + 1, targetEnd),
    fieldsAt: targetEnd + ' HTTP/1.1\r\n'.length,
  };
}

/**
 * Reads the headers of a text of which `readLine` has read the line. False: it is not plain after all, having
 * not one host, a body, more headers than `max`, or something that asks for another treatment of the connection.
 */
export function readFields(text: string, fieldsAt: number, sink: FieldSink, max: number): boolean {
  let hosts = 0;
  let lengths = 0;
  let fields = 0;
  // Between names and contents there are no other colons, and no other ends of lines than CR LF.
  for (let at = fieldsAt; at < text.length - 2; fields += 1) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r', colon);
    const meaning = meaningOf(text, at, colon, end);
    if (meaning === 'Special') return false;
    if (meaning === 'Host') hosts += 1;
    if (meaning === 'NoBody') lengths += 1;
    const slot = sink.meet(text, at, colon);
    if (slot >= 0) sink.keep(slot, contentOf(text, colon + 1, end));
    at = end + 2;
  }
  return hosts === 1 && lengths <= 1 && fields <= max;
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

type Meaning = 'Host' | 'NoBody' | 'Special' | 'None';

/** What names mean for the connection, by their length, which tells most apart at once. */
const MEANT: readonly (readonly string[] | undefined)[] = byLength([
  'host',
  'content-length',
  'connection',
  'expect',
  'upgrade',
  'trailer',
  'proxy-connection',
  'transfer-encoding',
]);

function meaningOf(text: string, from: number, colon: number, end: number): Meaning {
  const names = MEANT[colon - from];
  if (names === undefined) return 'None';
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] ?? '';
    if (isName(text, name, from, colon)) return meaningWith(name, contentOf(text, colon + 1, end));
  }
  return 'None';
}

function meaningWith(name: string, content: string): Meaning {
  switch (name) {
    case 'host':
      return 'Host';
    case 'content-length':
      return content === '0' ? 'NoBody' : 'Special';
    case 'connection':
      return /^(?:keep-alive)?$/i.test(content) ? 'None' : 'Special';
    default:
      return 'Special';
  }
}

function byLength(names: readonly string[]): readonly (readonly string[] | undefined)[] {
  const table: string[][] = [];
  for (const name of names) (table[name.length] ??= []).push(name);
  return table;
}
