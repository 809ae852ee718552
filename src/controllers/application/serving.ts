/** The ApiKey that a form serves: how one that we make looks, and how one that is there is recognised. Pure. */
import type { ApiKeySpec } from '../../api/generated/apikey.ts';
import type { ApiKeyApplicationSpec } from '../../api/generated/apikeyapplication.ts';
import { API_KEY_APPLICATIONS, API_KEYS, API_VERSION, FINALIZER } from '../../api/names.ts';
import { canonicalJson } from '../../kernel/canonicaljson.ts';
import type { Draft } from '../../kube/port.ts';
import type { ApiKeySight, FormView } from './world.ts';

/** What is looked at of an ApiKey. */
export type ServedKey = {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly isDeleting: boolean;
  /** UID of the form in its owner reference; absent: it has none. */
  readonly ownerFormUid?: string;
  readonly spec: Pick<ApiKeySpec, 'applicationRef' | 'secret'>;
};

/** Text by which two wishes for a Secret are compared; empty: none. */
export function secretText(secret: ApiKeyApplicationSpec['secret']): string {
  return secret === undefined ? '' : canonicalJson(secret);
}

/** The ApiKey as a decision looks at it. */
export function sightOf(form: FormView, key: ServedKey | undefined): ApiKeySight {
  if (key === undefined) return { type: 'Absent' };
  const { uid, resourceVersion, isDeleting, spec } = key;
  return {
    type: 'Present',
    uid,
    resourceVersion,
    isDeleting,
    namesForm: spec.applicationRef?.name === form.ref.name,
    isOurs: key.ownerFormUid === form.uid,
    secretText: secretText(spec.secret),
  };
}

/** The ApiKey of a form that has none. It goes with the form; what it may do, the grant says. */
export function newKey(form: FormView, name: string): Draft {
  const { ref, uid, spec } = form;
  return {
    apiVersion: API_VERSION,
    kind: API_KEYS.kind,
    metadata: {
      name,
      namespace: ref.namespace,
      finalizers: [FINALIZER],
      ownerReferences: [
        {
          apiVersion: API_VERSION,
          kind: API_KEY_APPLICATIONS.kind,
          name: ref.name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      applicationRef: { name: ref.name },
      ...(spec.secret === undefined ? {} : { secret: spec.secret }),
    },
  };
}
