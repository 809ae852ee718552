/** What a process exposes to Prometheus, read as Prometheus would. */

/** One metric as it is exposed. */
export type ExposedFamily = {
  readonly type: string;
  readonly help: string;
  /** Names of labels that samples have; empty also where there are no samples. */
  readonly labels: ReadonlySet<string>;
  readonly samples: number;
};

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (?:[-+]?[\d.]+(?:e[-+]?\d+)?|NaN|[-+]?Inf)$/i;
/** Of histograms; they are no labels that anybody chose. */
const OWN = new Set(['le', 'quantile']);

/** All of them by name. @throws where a line is none of the text format */
export function readExposed(text: string): ReadonlyMap<string, ExposedFamily> {
  const families = new Map<string, { -readonly [K in keyof ExposedFamily]: ExposedFamily[K] }>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    const known = families.get(name) ?? { type: '', help: '', labels: new Set(), samples: 0 };
    if (what === 'HELP') families.set(name, { ...known, help: rest });
    else if (what === 'TYPE') families.set(name, { ...known, type: rest });
    else takeSample(families, line);
  }
  return families;
}

function takeSample(
  families: Map<string, { labels: ReadonlySet<string>; samples: number }>,
  line: string,
): void {
  const match = SAMPLE.exec(line);
  const [, name = '', labels = ''] = match ?? [];
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  if (match === null || family === undefined)
    throw new Error(`no sample of the text format: ${line}`);
  const names = [...labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label);
  family.labels = new Set([...family.labels, ...names.filter((each) => !OWN.has(each))]);
  family.samples += 1;
}
