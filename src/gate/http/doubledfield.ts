/**
 * Pure; finds fields that are written twice in one object. JSON.parse takes the last one silently, while
 * whoever wrote or checked the text may have meant the first.
 */

/** Whether any object of the text has a field twice, however it is escaped. The text must be JSON. */
export function findDoubledField(text: string): boolean {
  /** Names of each object that is open; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    if (character !== '"') continue;
    const end = endOfString(text, at);
    const names = isName(text, end) ? open.at(-1) : undefined;
    if (names !== undefined) {
      const name = String(JSON.parse(text.slice(at, end)));
      if (names.has(name)) return true;
      names.add(name);
    }
    at = end - 1;
  }
  return false;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function isName(text: string, from: number): boolean {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return text[at] === ':';
}
