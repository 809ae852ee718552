/**
 * Looks, when the operator starts and every few minutes after that, whether its account has the rights that
 * it uses, and says which are missing and what does not work without them. It changes nothing: what is refused
 * is told where it happens.
 */
import { SELF_SUBJECT_RULES_REVIEWS } from '../api/names.ts';
import { OPERATOR_RIGHTS, type Feature, type Right, type RightScope } from '../api/rights.ts';
import type { OperatorConfig } from '../config/operator.ts';
import { sleep, systemClock, type Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { KubeClient } from '../kube/port.ts';
import { lackingOf, readRules, type Rules } from '../kube/rules.ts';

/** Any namespace will do for rights that hold in all, and events about shared stores are in this one. */
const DEFAULT_NAMESPACE = 'default';

const OF_CLUSTER: ReadonlySet<Feature> = new Set(['SharedStores', 'Products', 'Selectors']);

type Config = Pick<OperatorConfig, 'namespace' | 'watchNamespaces' | 'secretWatch' | 'metricsAuth'>;

/** A right that is missing where it is needed. */
type LackingRight = {
  readonly namespace: string;
  readonly lacks: string;
  readonly without: string;
  readonly feature: Feature;
  /** Sure: no authoriser of the cluster could have more. */
  readonly isSure: boolean;
};

type Asking = {
  readonly client: Pick<KubeClient, 'ask'>;
  readonly config: Config;
  readonly signal: AbortSignal;
};

type Looking = Asking & { readonly log: Logger };

/** Between two looks: rights are given and taken while an operator runs. A look asks once for each place. */
const LOOK_MS = 5 * MINUTE_MS;

/** Begins to look, and logs what comes out and what changes. Gives what is missing now, as a probe shows it. */
export function startRightsCheck(parts: Looking, clock: Clock = systemClock): () => string {
  let text = '';
  void keepLooking(parts, clock, (lacking) => {
    text = lackingText(lacking);
  });
  return () => text;
}

/** Until the operator stops. Never rejects. */
async function keepLooking(
  parts: Looking,
  clock: Clock,
  show: (lacking: readonly LackingRight[]) => void,
): Promise<void> {
  const { signal } = parts;
  let before: readonly LackingRight[] = [];
  while (!signal.aborted) {
    // One look after the other is what this loop is for.
    // oxlint-disable-next-line no-await-in-loop
    const lacking = await look(parts);
    if (lacking !== undefined) {
      tellChanges(parts, before, lacking);
      show(lacking);
      before = lacking;
    }
    // oxlint-disable-next-line no-await-in-loop
    await sleep(clock, LOOK_MS, signal).catch(() => undefined);
  }
}

/** Undefined: nobody has answered. */
async function look(parts: Looking): Promise<readonly LackingRight[] | undefined> {
  try {
    return await findLackingRights(parts);
  } catch (error) {
    const { reason } = classify(error);
    parts.log.debug('The rights of the account could not be looked at', { reason });
    return undefined;
  }
}

/** What was told once is not told again. */
function tellChanges(
  { config, log }: Looking,
  before: readonly LackingRight[],
  now: readonly LackingRight[],
): void {
  const isIn = (list: readonly LackingRight[], { namespace, lacks }: LackingRight): boolean =>
    list.some((each) => each.namespace === namespace && each.lacks === lacks);
  for (const each of now) if (!isIn(before, each)) tell(log, config, each);
  for (const each of before) {
    if (isIn(now, each)) continue;
    const { lacks, namespace } = each;
    log.info("The operator's account has a right again", { right: lacks, namespace });
  }
}

/** Rights named in a probe; the log names them all. */
const NAMED_MAX = 3;

/** Ready to follow a reason in a probe; empty when nothing is missing that a start waits for. */
function lackingText(lacking: readonly LackingRight[]): string {
  const core = lacking.filter(({ feature }) => feature === 'Core' || feature === 'SecretWatch');
  if (core.length === 0) return '';
  const named = core.slice(0, NAMED_MAX).map(({ lacks, namespace }) => `${lacks} in ${namespace}`);
  const more = core.length > NAMED_MAX ? ` and ${core.length - NAMED_MAX} more` : '';
  return `; the operator's account lacks: ${named.join('; ')}${more}`;
}

/** What the account lacks. @throws KeywardError where the API server cannot be asked */
export async function findLackingRights(parts: Asking): Promise<readonly LackingRight[]> {
  const { client, config, signal } = parts;
  const needed = OPERATOR_RIGHTS.filter((right) => isNeeded(right, config));
  const places = [...new Set(needed.flatMap((right) => placesOf(right.scope, config)))];
  const lacking: LackingRight[] = [];
  for (const namespace of places) {
    // One after the other: hundreds of namespaces must not crowd out the lists that a start waits for.
    // oxlint-disable-next-line no-await-in-loop
    const rules = await ask(client, namespace, signal);
    const here = needed.filter(({ scope }) => placesOf(scope, config).includes(namespace));
    lacking.push(...here.flatMap((right) => lackingIn(namespace, right, rules)));
  }
  return lacking;
}

function lackingIn(namespace: string, right: Right, rules: Rules): readonly LackingRight[] {
  const { without, feature } = right;
  const isSure = rules.isComplete;
  return lackingOf(right, rules).map((lacks) => ({ namespace, lacks, without, feature, isSure }));
}

/** Restarts are told about where somebody asks for one. */
function isNeeded({ feature }: Right, { secretWatch, metricsAuth }: Config): boolean {
  if (feature === 'SecretWatch') return secretWatch === 'metadata';
  if (feature === 'MetricsAuth') return metricsAuth !== 'none';
  return feature !== 'Restart';
}

function placesOf(scope: RightScope, { namespace, watchNamespaces }: Config): readonly string[] {
  if (scope === 'Own') return [namespace];
  return scope === 'Watched' && watchNamespaces.length > 0 ? watchNamespaces : [DEFAULT_NAMESPACE];
}

async function ask(
  client: Asking['client'],
  namespace: string,
  signal: AbortSignal,
): Promise<Rules> {
  const { group, version, kind } = SELF_SUBJECT_RULES_REVIEWS;
  const question = { apiVersion: `${group}/${version}`, kind, spec: { namespace } };
  return readRules(await client.ask(SELF_SUBJECT_RULES_REVIEWS, question, { signal }));
}

function tell(log: Logger, { watchNamespaces }: Config, lacking: LackingRight): void {
  const { namespace, lacks, without, feature, isSure } = lacking;
  // An installation for named namespaces may do without what belongs to the whole cluster.
  const isOptional = watchNamespaces.length > 0 && OF_CLUSTER.has(feature);
  const certainty = isSure ? 'lacks' : 'seems to lack';
  log[isOptional || !isSure ? 'info' : 'warn'](`The operator's account ${certainty} a right`, {
    lacks,
    namespace,
    without,
    roles: 'deploy/rbac',
  });
}
