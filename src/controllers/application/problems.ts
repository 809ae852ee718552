/** What keeps the newest edit of a form from being reviewed: all of it at once, named for people. Pure. */
import { APPLICATION_READY, type ApplicationReadyReason } from '../../api/applicationconditions.ts';
import type { RoundType } from '../../ledger/form.ts';
import { firstIssuedMs } from '../../ledger/grants.ts';
import { problemsOf } from '../../terms/completeness.ts';
import type { FormFacts, FormRules, IncompleteReason, ProductState } from '../../terms/form.ts';
import { DEFAULT_STORE } from '../../stores/view.ts';
import { productsOf } from './content.ts';
import { servedName } from './view.ts';
import type { ClientFact, FormView, UsableStore, World } from './world.ts';

/** One thing that is in the way, and the reason of Ready that fits it. */
export type Trouble = { readonly reason: ApplicationReadyReason; readonly message: string };

/** Everything that keeps a round of this type from being opened; empty: nothing does. */
export function problemsIn(world: World, form: FormView, type: RoundType): readonly Trouble[] {
  const { store } = world;
  switch (store.type) {
    case 'Missing': {
      const message = `${store.name} does not exist; create it, or name another store in spec.storeRef`;
      return [{ reason: 'StoreNotAvailable', message }];
    }
    case 'Unusable':
      return [{ reason: 'StoreNotAvailable', message: `${store.name}: ${store.problem}` }];
    case 'Usable':
      return [
        ...shutOut(form, store),
        ...attestorGone(world, store),
        ...fixedFields(world, form),
        ...found(world, form, { store, type }),
      ];
  }
}

/** The one reason for all: the only one, else that something must be put right, if anything must. */
export function reasonOf(troubles: readonly Trouble[]): ApplicationReadyReason {
  const reasons = new Set(troubles.map(({ reason }) => reason));
  const [first = 'Incomplete'] = reasons;
  const isToBePutRight = [...reasons].some(
    (reason) => APPLICATION_READY[reason].kstatus === 'Failed',
  );
  return reasons.size > 1 && isToBePutRight ? 'Incomplete' : first;
}

const REASONS: Readonly<Record<IncompleteReason, ApplicationReadyReason>> = {
  ClientRequired: 'Incomplete',
  ClientNotFound: 'ClientNotAvailable',
  ClientSuspended: 'ClientNotAvailable',
  ClientNotRegistered: 'ClientNotAvailable',
  FieldRequired: 'Incomplete',
  InvalidTerms: 'Incomplete',
  EffectiveDateInPast: 'Incomplete',
  AlreadyOver: 'RequestExpired',
  ProductNotAvailable: 'ProductNotAvailable',
  ProductRetired: 'Incomplete',
  UnsupportedByStore: 'UnsupportedByStore',
  NoReviewers: 'NoReviewers',
};

function found(
  world: World,
  form: FormView,
  { store, type }: { readonly store: UsableStore; readonly type: RoundType },
): readonly Trouble[] {
  return problemsOf(form.spec, rulesOf(store), factsOf(world, form, { store, type })).map(
    ({ reason, field, message }) => ({
      reason: REASONS[reason],
      message: `spec.${field} ${message}`,
    }),
  );
}

function rulesOf(store: UsableStore): FormRules {
  const { requiredFields = [], mode, requiredFor, layers } = store.rules;
  const { timeZone, durationDays, maxDurationDays, maxQuotaRequests } = store;
  return {
    requiredFields,
    mode,
    requiredFor,
    ...(layers === undefined ? {} : { layers }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(durationDays === undefined ? {} : { durationDays }),
    ...(maxDurationDays === undefined ? {} : { maxDurationDays }),
    ...(maxQuotaRequests === undefined ? {} : { maxQuotaRequests }),
    abilities: store.capabilities,
  };
}

function factsOf(
  { nowMs, record, client, products }: World,
  form: FormView,
  { store, type }: { readonly store: UsableStore; readonly type: RoundType },
): FormFacts {
  const grant = record?.grant;
  const issuedMs = firstIssuedMs(record ?? {});
  return {
    nowMs,
    round: type,
    apiKeyName: servedName(form.spec, form.ref.name),
    client: clientState(client, store),
    products: new Map(
      products.flatMap(({ name, state }): readonly [string, ProductState][] =>
        state === 'Unavailable' ? [] : [[name, state]],
      ),
    ),
    ...(grant === undefined
      ? {}
      : {
          grant: {
            effectiveMs: grant.effectiveMs,
            ...(issuedMs === undefined ? {} : { firstIssuedMs: issuedMs }),
            products: productsOf(grant.content.terms),
          },
        }),
  };
}

function clientState(client: ClientFact, { rules }: UsableStore): FormFacts['client'] {
  if (client.type !== 'Present') return 'NotFound';
  if (client.state !== 'Active') return 'Suspended';
  const isReviewed = rules.mode === 'Manual' && rules.requiredFor.includes('Client');
  return isReviewed && !client.isRegistered ? 'NotRegistered' : 'Active';
}

function shutOut(form: FormView, store: UsableStore): readonly Trouble[] {
  if (store.allowsNamespace) return [];
  const message = `${store.kind} '${store.name}' does not serve namespace '${form.ref.namespace}'; ask its owner, or name another store`;
  return [{ reason: 'NamespaceNotAllowed', message }];
}

/** Whoever spoke for the applicant may do so no more. */
function attestorGone({ record }: World, { kind, name, rules }: UsableStore): readonly Trouble[] {
  const account = record?.applicant.attestedBy;
  const isListed = (rules.attestors ?? []).some(({ username }) => username === account);
  if (account === undefined || isListed) return [];
  const message = `spec.onBehalfOf: ${kind} '${name}' does not list '${account}' among its attestors any more`;
  return [{ reason: 'Incomplete', message }];
}

/** What a grant is for stays; the schema says so too, by a status that may be a moment behind. */
function fixedFields({ record }: World, { spec, ref }: FormView): readonly Trouble[] {
  const granted = record?.grant?.content;
  if (granted === undefined) return [];
  const store = spec.storeRef ?? DEFAULT_STORE;
  const isMoved = store.kind !== granted.storeRef.kind || store.name !== granted.storeRef.name;
  const changed = [
    ...(isMoved ? ['spec.storeRef'] : []),
    ...(spec.format === undefined || spec.format === granted.format ? [] : ['spec.format']),
    ...(spec.clientRef?.name === granted.client.name ? [] : ['spec.clientRef']),
    ...(servedName(spec, ref.name) === granted.apiKeyName ? [] : ['spec.apiKeyRef']),
  ];
  return changed.map((field) => ({
    reason: 'Incomplete',
    message: `${field} cannot be changed once something was granted; file another application`,
  }));
}
