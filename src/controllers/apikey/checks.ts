/**
 * What keeps a key from being issued or changed, as an ordered list of named questions.
 * Pure.
 *
 * The first answer wins and becomes the reason of Ready. A key that is live keeps its values and its
 * old terms while a check stands; suspending, revoking, expiring and deleting go on all the same.
 */
import type { Check, Finding, StoreCheck } from './finding.ts';
import { clientForbids, formForbids, imposedBeforeIssue, reissueRequired } from './formchecks.ts';
import { unknownTemplateFields } from './secret.ts';
import { wantedFormat, wantedTerms } from './wanted.ts';
import type { UsableStore, World } from './world.ts';

/** The first thing that is wrong, or undefined when the key may be issued and changed. */
export function firstFinding(world: World): Finding | undefined {
  const { key } = world;
  if (key === undefined) return undefined;
  for (const check of CHECKS) {
    const finding = check(world, key);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** An etcd that was restored to before the end of the key: what is dead in the database stays dead. */
const endedAlready: Check = ({ record }) => {
  switch (record?.phase) {
    case 'Ending':
    case 'Ended':
      return {
        reason: 'Revoked',
        message:
          'this key was ended, and the object came back from an older copy of the cluster; delete this object and create another',
      };
    case 'Retained':
      return {
        reason: 'Pending',
        message:
          'this key outlived its object (deletionPolicy: Retain), which came back from an older copy of the cluster; its values go on working as they are: delete this object and create another, and end the old values with keyward keys revoke',
      };
    default:
      return undefined;
  }
};

/** Its name is taken by a key that nobody ends unasked; see vanished.ts. */
const predecessorHeldBack: Check = ({ record, predecessor, mayEndVanished }) =>
  record === undefined && predecessor?.phase === 'Live' && !mayEndVanished
    ? {
        reason: 'Pending',
        message:
          'an earlier ApiKey of this name vanished; just after a start it is counted first how many did, and if they are too many to be ended unasked, whoever runs the operator has to see that cluster and database are the right ones and restart it with --accept-vanished',
      }
    : undefined;

/** A database that was restored or exchanged: new values must not replace good ones unasked. */
const notInLedger: Check = ({ record, rotationRequest }, key) => {
  const keyId = key.status?.keyId;
  if (record !== undefined || keyId === undefined || key.spec.state === 'Revoked') return undefined;
  const isAsked =
    rotationRequest !== undefined && rotationRequest !== key.status?.lastHandledRotationRequestId;
  if (isAsked) return undefined;
  const id = key.status?.remote?.id;
  const values =
    id === undefined
      ? 'its values no longer work'
      : `its values go on working at the vendor until somebody deletes ${id} there`;
  return {
    reason: 'KeyNotInLedger',
    message: `the database does not know key ${keyId}, so it was restored or exchanged; ${values}: put the right database back, or ask for new values with a new spec.rotation.requestId`,
  };
};

const storeMissing: Check = ({ store }) =>
  store.type === 'Missing'
    ? {
        reason: 'StoreNotAvailable',
        message: `${store.name} does not exist; create it, or name another store in spec.storeRef`,
      }
    : undefined;

const storeUnusable: Check = ({ store }) =>
  store.type === 'Unusable'
    ? { reason: 'StoreUnavailable', message: `${store.name}: ${store.problem}` }
    : undefined;

const namespaceShutOut: StoreCheck = (_, key, store) =>
  store.allowsNamespace
    ? undefined
    : {
        reason: 'NamespaceNotAllowed',
        message: `${store.kind} '${store.name}' does not serve namespace '${key.ref.namespace}'; ask its owner, or name another store`,
      };

const applicationMissing: StoreCheck = (_, key, store) =>
  store.requiresApplication && key.spec.applicationRef === undefined
    ? {
        reason: 'ApplicationRequired',
        message: `${store.kind} '${store.name}' gives keys only on application; file an ApiKeyApplication and name it in spec.applicationRef`,
      }
    : undefined;

const termsContradict: StoreCheck = (world, key, store) => {
  const resolution = wantedTerms(world, key, store);
  if (resolution.type === 'Resolved') return undefined;
  const problems = resolution.problems.map(({ field, message }) => `${field}: ${message}`);
  return { reason: 'InvalidSpec', message: problems.join('; ') };
};

const templateNamesUnknownField: StoreCheck = (_, key) => {
  const unknown = unknownTemplateFields(key.spec.secret?.template ?? {});
  if (unknown.length === 0) return undefined;
  return {
    reason: 'InvalidSpec',
    message: `spec.secret.template names unknown fields: ${unknown.map((name) => `'${name}'`).join(', ')}`,
  };
};

const formatUnsupported: StoreCheck = (world, key, store) => {
  const format = wantedFormat(key, store, world.record);
  return store.capabilities.formats.includes(format)
    ? undefined
    : unsupported(store, 'spec.format', `it offers ${store.capabilities.formats.join(', ')}`);
};

const retentionForbidden: StoreCheck = (_, key, store) =>
  key.spec.deletionPolicy === 'Retain' && store.retention === 'Forbidden'
    ? unsupported(store, 'spec.deletionPolicy', 'its retention is Forbidden')
    : undefined;

const namesTooLong: StoreCheck = (_, key, store) => {
  const { displayNameMax, descriptionMax } = store.capabilities;
  const name = key.spec.displayName ?? key.ref.name;
  if (codePoints(name) > displayNameMax) {
    const atMost = `it takes ${displayNameMax} characters at most`;
    return key.spec.displayName === undefined
      ? unsupported(store, 'metadata.name as a name', `${atMost}; set a shorter spec.displayName`)
      : unsupported(store, 'spec.displayName', atMost);
  }
  return codePoints(key.spec.description ?? '') > descriptionMax
    ? unsupported(store, 'spec.description', `it takes ${descriptionMax} characters at most`)
    : undefined;
};

const slotUnsupported: StoreCheck = (world, key, store) =>
  key.spec.rotation?.slot !== undefined && wantedFormat(key, store, world.record) !== 'Dual'
    ? unsupported(store, 'spec.rotation.slot', 'only keys of format Dual have slots')
    : undefined;

const suspendUnsupported: StoreCheck = (_, key, store) =>
  key.spec.state === 'Suspended' && !store.capabilities.suspend
    ? unsupported(store, 'spec.state: Suspended', 'its credentials cannot be switched off')
    : undefined;

const inPlaceUnsupported: StoreCheck = (_, key, store) =>
  key.spec.rotation?.method === 'InPlace' && !store.capabilities.regeneratePerSlot
    ? unsupported(store, 'spec.rotation.method: InPlace', 'its values cannot be replaced')
    : undefined;

const termsUnsupported: StoreCheck = (_, key, store) => {
  const { quota, originPolicy, cidrs = [], productRefs = [] } = key.spec.terms ?? {};
  const asked = {
    quota: quota !== undefined,
    originPolicy: (originPolicy?.allowed ?? []).length > 0,
    cidrs: cidrs.length > 0,
    productRefs: productRefs.length > 0,
  };
  const names = Object.keys(asked) as (keyof typeof asked)[];
  const beyond = names.filter((name) => asked[name] && !store.capabilities.terms.includes(name));
  return beyond.length === 0
    ? undefined
    : unsupported(
        store,
        beyond.map((name) => `spec.terms.${name}`).join(', '),
        'nothing at the vendor enforces that; leave it out',
      );
};

const productsUnsupported: StoreCheck = ({ products = [] }, _, store) => {
  const missing = products.filter(({ productId }) => productId === undefined);
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name }) => `'${name}'`).join(', ');
  const why =
    'an ApiProduct is to be had there when its spec.external names the store, it serves this namespace, and it is Open or granted by an application';
  return unsupported(store, `spec.terms.productRefs ${names}`, why);
};

const restoreUnsupported: StoreCheck = (_, key, store) =>
  key.spec.secret?.onLoss === 'Restore' && !store.capabilities.recoverable
    ? unsupported(store, 'spec.secret.onLoss', 'it keeps no readable values (recovery: None)')
    : undefined;

const lastUseUnknown: StoreCheck = (world, key, store) => {
  if (key.spec.rotation?.retirePrevious !== 'WhenUnused') return undefined;
  const field = 'spec.rotation.retirePrevious: WhenUnused';
  if (store.remote !== undefined) {
    return unsupported(store, field, 'no gate sees the calls that are made at the vendor');
  }
  return wantedFormat(key, store, world.record) === 'Dual'
    ? unsupported(store, field, 'of the two values of a Dual key no gate tells which was used')
    : undefined;
};

/** From "there is nothing to ask" to details of the spec. */
const CHECKS: readonly Check[] = [
  endedAlready, // nothing that can be put right brings it back
  imposedBeforeIssue, // an end or a switch-off is final, whatever else may be wrong
  formForbids, // the form decides everything else
  notInLedger, // whatever else is wrong, this has to be known first
  predecessorHeldBack, // until then nothing at all is done for this object
  storeMissing, // without a store no other question can be asked
  storeUnusable,
  withStore(namespaceShutOut), // says no more about the store than that it does not serve here
  withStore(applicationMissing),
  withStore(clientForbids),
  reissueRequired, // of what follows, the spec as its grant makes it has none of the refused fields
  withStore(termsContradict),
  withStore(templateNamesUnknownField),
  withStore(formatUnsupported),
  withStore(retentionForbidden),
  withStore(namesTooLong),
  withStore(slotUnsupported),
  withStore(suspendUnsupported),
  withStore(inPlaceUnsupported),
  withStore(termsUnsupported),
  withStore(productsUnsupported),
  withStore(restoreUnsupported),
  withStore(lastUseUnknown),
];

function withStore(check: StoreCheck): Check {
  return (world, key) =>
    world.store.type === 'Usable' ? check(world, key, world.store) : undefined;
}

function unsupported(store: UsableStore, field: string, why: string): Finding {
  return {
    reason: 'UnsupportedByStore',
    message: `${store.kind} '${store.name}' cannot honour ${field}: ${why}`,
  };
}

function codePoints(text: string): number {
  return [...text].length;
}
