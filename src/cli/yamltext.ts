/** Objects as YAML that everybody reads alike. */

/**
 * YAML of a plain value. Kubernetes' tools read YAML 1.1, to which `No`, `on` or `1:30` are no texts; what only
 * readers of YAML 1.2 take for something else (`0o7`) makes every text quoted.
 */
export async function yamlText(value: unknown): Promise<string> {
  // Loaded when it is needed: most commands print tables.
  const { parse, stringify } = await import('yaml');
  const options = { lineWidth: 0, version: '1.1' } as const;
  const text = stringify(value, options);
  const isAlike = JSON.stringify(parse(text)) === JSON.stringify(value);
  return isAlike ? text : stringify(value, { ...options, defaultStringType: 'QUOTE_DOUBLE' });
}
