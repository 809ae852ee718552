/** What `replaceStatus` of the port is sent. Pure. */
import type { Ref, Resource } from '../api/meta.ts';
import { API_VERSION } from '../api/names.ts';
import type { Draft } from './port.ts';

/** The status of one of our objects; taken only where it still is the version that was looked at. */
export function statusDraft(
  { kind, namespaced }: Resource,
  object: { readonly ref: Ref; readonly uid: string; readonly resourceVersion: string },
  status: object,
): Draft {
  const { ref, uid, resourceVersion } = object;
  const namespace = namespaced ? { namespace: ref.namespace } : {};
  const metadata = { name: ref.name, ...namespace, uid, resourceVersion };
  return { apiVersion: API_VERSION, kind, metadata, status };
}
