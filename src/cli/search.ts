/** `keyward products` and `keyward clients`: search by keyword. Pure. */
import { conditionOf, toneOf, type Client, type Product } from './objects.ts';
import { table, type Cell, type Paint } from './output.ts';
import { clipTo } from './width.ts';
import { visible } from './visible.ts';

const TEXT_COLUMNS = 40;

/** Those in which every word of the keyword occurs somewhere, whatever its case. */
export function matching<T>(
  all: readonly T[],
  keyword: string | undefined,
  textsOf: (each: T) => readonly (string | undefined)[],
): readonly T[] {
  const words = fold(keyword ?? '')
    .split(/\s+/)
    .filter((word) => word !== '');
  return all.filter((each) => {
    const text = fold(textsOf(each).join('\n'));
    return words.every((word) => text.includes(word));
  });
}

/** What of a product is searched. */
export function textsOfProduct({ metadata, spec }: Product): readonly (string | undefined)[] {
  return [metadata.name, spec.displayName, spec.description];
}

/** What of a client is searched: its id, name and alias. */
export function textsOfClient({ metadata, spec }: Client): readonly (string | undefined)[] {
  return [metadata.name, spec.displayName, spec.alias, spec.description];
}

/** The table of products. */
export function productTable(
  products: readonly Product[],
  wide: 'Wide' | 'Narrow',
  paint: Paint,
): string {
  const titles = ['PRODUCT', 'NAME', 'ACCESS', 'STATE', 'DESCRIPTION'];
  const rows = products.map(({ metadata, spec }): readonly Cell[] => [
    metadata.name,
    short(spec.displayName),
    spec.access,
    { text: spec.state, tone: toneOf(spec.state) },
    wide === 'Wide' ? (spec.description ?? '') : short(spec.description),
    ...(wide === 'Wide' ? [storesText({ spec }), spec.documentationURL ?? ''] : []),
  ]);
  return table(wide === 'Wide' ? [...titles, 'STORES', 'DOCUMENTATION'] : titles, rows, paint);
}

/** The table of clients; with namespaces where several were asked. */
export function clientTable(
  clients: readonly Client[],
  namespaces: 'With' | 'Without',
  paint: Paint,
): string {
  const titles = ['CLIENT', 'NAME', 'ALIAS', 'STATE', 'KEYS', 'ACTIVE'];
  const rows = clients.map(({ metadata, spec, status }): readonly Cell[] => {
    const state = conditionOf(status, 'Ready')?.reason ?? 'Pending';
    return [
      ...(namespaces === 'With' ? [metadata.namespace ?? ''] : []),
      metadata.name,
      short(spec.displayName),
      short(spec.alias),
      { text: state, tone: toneOf(state) },
      String(status?.keys?.total ?? 0),
      String(status?.keys?.active ?? 0),
    ];
  });
  return table(namespaces === 'With' ? ['NAMESPACE', ...titles] : titles, rows, paint);
}

function storesText({ spec }: Pick<Product, 'spec'>): string {
  return (spec.allowedStores ?? []).map(({ kind, name }) => `${kind}/${name}`).join(', ');
}

function short(text: string | undefined): string {
  return clipTo(visible(text ?? ''), TEXT_COLUMNS);
}

/** Case and the way accents are written make no difference. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
