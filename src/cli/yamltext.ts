/** Objects as YAML that everybody reads alike. */
import type { ScalarTag } from 'yaml';

/**
 * What kubectl reads as a number and no specification does: it takes `_` out wherever it stands, and then whatever
 * Go knows (`0X1F`, `0B11`, `0_x1F`, `+_5`).
 */
const NUMBER_OF_GO: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^[-+]?(?:_*0_*[xbo][\da-f_]+|(?:[\d_]+(?:\.[\d_]*)?|\.[\d_]+)(?:e_*[-+]?[\d_]+)?)$/i,
  resolve: Number,
};

/**
 * YAML of a plain value. Kubernetes' tools read YAML 1.1, to which `No`, `on` or `1:30` are no texts, and more
 * numbers than it has; what only readers of YAML 1.2 take for something else makes every text quoted.
 */
export async function yamlText(value: unknown): Promise<string> {
  // Loaded when it is needed: most commands print tables.
  const { parse, stringify } = await import('yaml');
  const options = { lineWidth: 0, version: '1.1' as const, customTags: [NUMBER_OF_GO] };
  const text = stringify(value, options);
  const isAlike = JSON.stringify(parse(text)) === JSON.stringify(value);
  return isAlike ? text : stringify(value, { ...options, defaultStringType: 'QUOTE_DOUBLE' });
}
