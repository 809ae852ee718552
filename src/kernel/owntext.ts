/**
 * The same text in memory of its own, in one piece. A text that was cut out of another keeps the whole of that
 * one, so what is remembered of a request would keep the request; one that was put together stays in parts.
 *
 * @param text well formed: half of a surrogate pair would become U+FFFD
 */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
