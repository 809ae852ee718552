/** Searching secrets in what was written, in every shape in which text travels. */

/** A secret that must not be found, and one of the shapes it may take. */
type Needle = { readonly canary: string; readonly shape: string; readonly bytes: Buffer };

/** Where a secret was found. The text itself is not in it: a test report is a log, too. */
export type Finding = { readonly canary: string; readonly shape: string; readonly sink: string };

/**
 * Every place where one of the canaries stands in one of the sinks.
 *
 * @param canaries name, which may be printed, to secret
 * @param sinks name to content
 */
export function findCanaries(
  canaries: ReadonlyMap<string, string>,
  sinks: ReadonlyMap<string, Buffer>,
): readonly Finding[] {
  const needles = [...canaries].flatMap(([name, secret]) => needlesOf(name, secret));
  return [...sinks].flatMap(([sink, content]) =>
    needles
      .filter(({ bytes }) => content.includes(bytes))
      .map(({ canary, shape }) => ({ canary, shape, sink })),
  );
}

function needlesOf(canary: string, secret: string): Needle[] {
  const shapes: readonly (readonly [string, string])[] = [
    ['plain', secret],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ['JSON in JSON', JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
    ['URL', encodeURIComponent(secret)],
    ['hex', Buffer.from(secret).toString('hex')],
    ...[0, 1, 2].map((offset) => ['Base64', base64At(secret, offset)] as const),
    ...[0, 1, 2].map(
      (offset) =>
        ['Base64URL', base64At(secret, offset).replaceAll('+', '-').replaceAll('/', '_')] as const,
    ),
    ['bytes', Buffer.from(secret).join(',')],
  ];
  // Where two shapes are the same text, the first names it.
  const distinct = new Map(shapes.toReversed().map(([shape, text]) => [text, shape]));
  return [...distinct].map(([text, shape]) => ({ canary, shape, bytes: Buffer.from(text) }));
}

/** The letters that stand in a longer Base64 text where the secret begins `offset` bytes after a group. */
function base64At(secret: string, offset: number): string {
  const text = Buffer.from('\0'.repeat(offset) + secret).toString('base64');
  // The first and the last group may mix with what stands beside the secret.
  return text.slice(offset === 0 ? 0 : 4, text.length - 4);
}
