/** Composition of `keyward keys`, `products` and `clients`. */
import type { KubeObject, Resource } from '../api/meta.ts';
import { API_CLIENTS, API_KEYS, API_PRODUCTS } from '../api/names.ts';
import { keyTable, newestFirst, NOTHING_FOUND } from '../cli/keytable.ts';
import type { Client, Key, Product } from '../cli/objects.ts';
import {
  clientTable,
  matching,
  productTable,
  textsOfClient,
  textsOfProduct,
} from '../cli/search.ts';
import type { Flags } from '../config/layers.ts';
import { printList } from './printing.ts';
import { type Session, withSession } from './session.ts';

/** `keyward keys [--client NAME]` of the cluster. */
export async function runClusterKeys(flags: Flags): Promise<void> {
  await withSession(flags, async (session) => {
    const { client } = flags;
    const selector =
      typeof client === 'string' ? { fieldSelector: `status.clientName=${client}` } : {};
    const keys = newestFirst((await listAll(session, API_KEYS, selector)) as readonly Key[]);
    await print(session, API_KEYS, keys, () =>
      keyTable(
        keys,
        {
          namespace: session.scope === 'All' ? 'With' : 'Without',
          client: typeof client === 'string' ? 'Without' : 'With',
          wide: session.form === 'wide' ? 'With' : 'Without',
        },
        session.paint,
      ),
    );
  });
}

/** `keyward products [KEYWORD]` */
export async function runProducts(flags: Flags, keyword: string | undefined): Promise<void> {
  await withSession(flags, async (session) => {
    const all = (await listAll(session, API_PRODUCTS, {})) as readonly Product[];
    const found = matching(all, keyword, textsOfProduct);
    await print(session, API_PRODUCTS, found, () =>
      productTable(found, session.form === 'wide' ? 'Wide' : 'Narrow', session.paint),
    );
  });
}

/** `keyward clients [KEYWORD]` */
export async function runClients(flags: Flags, keyword: string | undefined): Promise<void> {
  await withSession(flags, async (session) => {
    const all = (await listAll(session, API_CLIENTS, {})) as readonly Client[];
    const found = matching(all, keyword, textsOfClient);
    await print(session, API_CLIENTS, found, () =>
      clientTable(found, session.scope === 'All' ? 'With' : 'Without', session.paint),
    );
  });
}

/** All objects where the command looks. The API server answers for their shape. */
async function listAll(
  session: Session,
  resource: Resource,
  selector: { readonly fieldSelector?: string },
): Promise<readonly KubeObject[]> {
  const isEverywhere = session.scope === 'All' || !resource.namespaced;
  const where = isEverywhere ? {} : { namespace: session.namespace };
  const pages: KubeObject[] = [];
  for await (const page of session.client.list(resource, { ...where, ...selector })) {
    pages.push(...page);
  }
  return pages;
}

async function print(
  session: Session,
  resource: Resource,
  found: readonly KubeObject[],
  tableText: () => string,
): Promise<void> {
  const { form, output } = session;
  if (form !== 'table' && form !== 'wide') {
    await printList(resource, found, form);
    return;
  }
  output.data(found.length === 0 ? NOTHING_FOUND : tableText());
}
