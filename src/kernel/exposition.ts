/**
 * Metrics of single objects as Prometheus reads them, written while somebody asks. The library keeps
 * each sample as an object of its own; for ten thousand keys that is more memory than the keys. Pure.
 */

/** Longer values are cut: names of Kubernetes have 253 characters at most. */
const LABEL_CHARS_MAX = 256;
/** About so many characters are handed out at once. */
const PIECE_CHARS = 16_384;

/** One sample: its labels as `labelText` writes them, and a number. */
export type Sample = readonly [labels: string, value: number];

/** All samples of one name. */
export type Family = {
  readonly name: string;
  readonly help: string;
  /** Names of the labels, for the documentation. */
  readonly labels: readonly string[];
  readonly samples: () => Iterable<Sample>;
};

/** Adds families to what is scraped. Each iteration is one scrape; empty pieces are pauses for others. */
export type Exposition = {
  readonly families: readonly Pick<Family, 'name' | 'help' | 'labels'>[];
  pieces(): Iterable<string>;
};

/** `{a="1",b="2"}`; empty without labels. Values are cut and escaped, so that whatever they hold stays one. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** Gauges, one after the other, in pieces of a bounded length. Values that are no numbers are left out. */
export function* writeGauges(families: readonly Family[]): Iterable<string> {
  let piece = '';
  for (const { name, help, samples } of families) {
    piece += `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
    for (const [labels, value] of samples()) {
      if (!Number.isFinite(value)) continue;
      piece += `${name}${labels} ${value}\n`;
      if (piece.length < PIECE_CHARS) continue;
      yield piece;
      piece = '';
    }
  }
  yield piece;
}

function escaped(value: string): string {
  const cut = value.length > LABEL_CHARS_MAX ? value.slice(0, LABEL_CHARS_MAX) : value;
  if (/^[\w./ -]*$/.test(cut)) return cut;
  return cut.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
