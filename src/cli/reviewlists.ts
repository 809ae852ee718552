/**
 * The lists of a form in full, where its changes do not show all of them or not as they act: nobody
 * approves an entry that he did not see. Pure.
 */
import type { Form } from './objects.ts';
import { barred } from './paragraphs.ts';

type Spec = Form['spec'];

const LISTS = [
  [
    'terms.originPolicy.allowed',
    ({ terms }: Spec) => (terms?.originPolicy?.allowed ?? []).map(site),
  ],
  ['terms.cidrs', ({ terms }: Spec) => terms?.cidrs ?? []],
  ['terms.productRefs', ({ terms }: Spec) => (terms?.productRefs ?? []).map(({ name }) => name)],
] as const;

/** As `differences.ts` writes what it leaves out: lines at the end, or characters of a text. */
const LEFT_OUT_LINES = '…';
const LEFT_OUT_TEXT = /…\[\d+ more\]$|^\[\d+ more\]…/;
const BEYOND_ASCII = /[^\x21-\x7e]/;

/** Every site, network and product of a round about terms; empty where its changes say all of that. */
export function listsText({ spec, status }: Form): string {
  const { type, changes = [] } = status?.round ?? {};
  if (type !== 'Issue' && type !== 'Change') return '';
  const isCut = changes.some(({ field }) => field === LEFT_OUT_LINES);
  const lists = LISTS.flatMap(([field, entriesOf]) => {
    const lines = changes.filter((change) => change.field === field);
    const isUnclear = lines.some(({ from = '', to = '' }) =>
      [from, to].some((text) => LEFT_OUT_TEXT.test(text) || isForeign(field, text)),
    );
    const entries = entriesOf(spec);
    return (isCut || isUnclear) && entries.length > 0
      ? [`  ${field}\n${entries.map((entry) => barred(entry)).join('')}`]
      : [];
  });
  return lists.length === 0 ? '' : `All that is asked for\n${lists.join('')}`;
}

/** Letters of other scripts may look like Latin ones; what a browser sends tells them apart. */
function site(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  const authority = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/:]+)/i.exec(text)?.[1] ?? '';
  const host = URL.parse(`http://${authority.replace(/^\*\./, '')}/`)?.hostname;
  return host === undefined ? text : `${text} (${host})`;
}

function isForeign(field: string, text: string): boolean {
  return field === 'terms.originPolicy.allowed' && BEYOND_ASCII.test(text) && text !== '(any site)';
}
