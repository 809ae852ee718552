/**
 * Restarts workloads for a key whose values changed: one annotation of the pod template, and nothing
 * else. What cannot be done is told and tried again later; it never holds up anything about the key.
 */
import type { ApiKeyRestartTarget } from '../../api/generated/apikey.ts';
import type { KubeObject } from '../../api/meta.ts';
import { RESTART_MANAGER, WORKLOADS } from '../../api/names.ts';
import { classify, KeywardError } from '../../kernel/errors.ts';
import { MINUTE_MS, parseTime, SECOND_MS } from '../../kernel/time.ts';
import type { ActionOf } from './actions.ts';
import { change, mine } from './commits.ts';
import type { Deps } from './deps.ts';
import { afterRollout, restartAnnotation, retryAtMs, targetText } from './rollout.ts';
import type { RolloutTrouble, World } from './world.ts';

/** Between reading a workload and changing it its status may change, which is no reason to give up. */
const TRIES = 4;
/** Timestamps have whole seconds. */
const CREATED_MARGIN_MS = 2 * SECOND_MS;
/** An API server that is away is asked again sooner than a person is expected to act. */
const AWAY_RETRY_MS = MINUTE_MS;

/** Why a pod template needs no change. Fresh: its pods began after the values were in the Secret. */
type Outcome =
  | { readonly type: 'Restarted' }
  | { readonly type: 'Current' }
  | { readonly type: 'Fresh' }
  | ({ readonly type: 'Trouble' } & RolloutTrouble);

type Wanted = {
  readonly target: ApiKeyRestartTarget;
  readonly name: string;
  readonly value: string;
};

/** See the file comment. The world then says what is left, and when to try that again. */
export async function rollOut(
  deps: Deps,
  world: World,
  { targets, values }: ActionOf<'RollOut'>,
  signal: AbortSignal,
): Promise<World> {
  const name = restartAnnotation(world.ref.name);
  const restarted: ApiKeyRestartTarget[] = [];
  const troubles: RolloutTrouble[] = [];
  for (const target of targets) {
    // One after the other: what limits restarts must see each.
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await restart(deps, world, { target, name, value: values }, signal);
    count(deps, target, outcome);
    if (outcome.type === 'Restarted') restarted.push(target);
    if (outcome.type === 'Trouble') troubles.push(outcome);
  }
  deps.reporter.rolledOut(world, restarted.map(targetText), troubles);
  const isDone = troubles.length === 0;
  const next = { ...world, evidence: { ...world.evidence, rollout: { troubles } } };
  if (!isDone && restarted.length === 0) return next;
  const rollout = afterRollout(mine(world), {
    values: isDone ? values : undefined,
    restarted: restarted.length,
    nowMs: deps.clock.nowMs(),
  });
  return change(
    deps,
    next,
    { ...mine(world), rollout },
    { action: 'WorkloadsRestarted', facts: { restarted: restarted.map(targetText).join(', ') } },
  );
}

/** Notes that workloads are told from here on; `told` undefined: they no longer are. */
export function noteTargets(
  deps: Deps,
  world: World,
  { told }: ActionOf<'NoteTargets'>,
): Promise<World> {
  const { rollout: _, ...record } = mine(world);
  const next = told === undefined ? record : { ...record, rollout: { told } };
  return change(deps, world, next, { action: 'RestartTargetsNoted' });
}

async function restart(
  deps: Deps,
  world: World,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Outcome> {
  const resource = WORKLOADS[wanted.target.kind];
  const ref = { namespace: world.ref.namespace, name: wanted.target.name };
  const find = (): Promise<KubeObject | undefined> => deps.client.get(resource, ref, { signal });
  try {
    const first = await find();
    for (let found = first, left = TRIES; ; found = await find(), left -= 1) {
      if (found === undefined) return missing(deps, world, wanted.target);
      // Another leader restarted it meanwhile: our world is out of date.
      if (isOthers(first, found, wanted.name)) throw outdated(wanted.target);
      // A try after the other is what this loop is for.
      // oxlint-disable-next-line no-await-in-loop
      const outcome = await tryRestart(deps, world, { ...wanted, found, left }, signal);
      if (outcome !== 'Changed') return outcome;
    }
  } catch (thrown) {
    signal.throwIfAborted();
    const error = classify(thrown);
    if (error.class === 'Bug' || error.reason === OUTDATED) throw error;
    return failed(deps, world, wanted.target, error);
  }
}

/** One try with the workload as it was read. Changed: it has another version by now; read it again. */
async function tryRestart(
  deps: Deps,
  world: World,
  {
    target,
    name,
    value,
    found,
    left,
  }: Wanted & { readonly found: KubeObject; readonly left: number },
  signal: AbortSignal,
): Promise<Outcome | 'Changed'> {
  if (templateAnnotations(found)[name] === value) return { type: 'Current' };
  if (isFresh(deps, world, found)) return { type: 'Fresh' };
  const { uid, resourceVersion } = found.metadata;
  const turn = deps.pacer.ask(uid, { [name]: value });
  if (turn.type === 'Wait') {
    const message = `${targetText(target)} was restarted too often lately and waits`;
    return { type: 'Trouble', reason: 'RestartLimited', target, message, retryAtMs: turn.untilMs };
  }
  const { annotations } = turn;
  const ref = { namespace: world.ref.namespace, name: target.name };
  const patch = {
    fieldManager: RESTART_MANAGER,
    body: { metadata: { uid, resourceVersion }, spec: { template: { metadata: { annotations } } } },
  };
  try {
    await deps.client.patchForeign(WORKLOADS[target.kind], ref, patch, { signal });
  } catch (thrown) {
    if (left > 1 && classify(thrown).class === 'Conflict') return 'Changed';
    throw thrown;
  }
  deps.pacer.restarted(uid, annotations);
  deps.reporter.restarted(world, { kind: target.kind, ...ref, uid });
  return { type: 'Restarted' };
}

function isOthers(first: KubeObject | undefined, found: KubeObject, name: string): boolean {
  return (
    first !== undefined && templateAnnotations(first)[name] !== templateAnnotations(found)[name]
  );
}

const OUTDATED = 'RestartOutdated';

function outdated(target: ApiKeyRestartTarget): KeywardError {
  const message = `${targetText(target)} was restarted by another leader meanwhile`;
  return new KeywardError('Conflict', { reason: OUTDATED, message });
}

/** Whoever was made after the Secret had the values never ran with others. */
function isFresh(deps: Deps, { record }: World, { metadata }: KubeObject): boolean {
  const sinceMs = record?.rollout?.sinceMs;
  const createdMs = parseTime(metadata.creationTimestamp ?? '');
  if (sinceMs === undefined || createdMs === undefined) return false;
  return createdMs > sinceMs + deps.client.clockSkewMs + CREATED_MARGIN_MS;
}

function templateAnnotations(workload: KubeObject): Readonly<Record<string, unknown>> {
  // Parser: the shape of what the API server keeps; whatever is absent has no annotations.
  const { spec } = workload as {
    readonly spec?: {
      readonly template?: {
        readonly metadata?: { readonly annotations?: Record<string, unknown> };
      };
    };
  };
  return spec?.template?.metadata?.annotations ?? {};
}

function missing(deps: Deps, world: World, target: ApiKeyRestartTarget): Outcome {
  const message = `${targetText(target)} does not exist; create it, or take it out of spec.rotation.restartTargets`;
  return {
    type: 'Trouble',
    reason: 'TargetMissing',
    target,
    message,
    retryAtMs: later(deps, world),
  };
}

function failed(
  deps: Deps,
  world: World,
  target: ApiKeyRestartTarget,
  error: KeywardError,
): Outcome {
  const atMs = later(deps, world);
  if (error.class === 'Terminal') {
    const message = `${targetText(target)} may not be restarted: ${error.message}; allow it with deploy/rbac/restart and deploy/admission, or restart it yourself`;
    return { type: 'Trouble', reason: 'TargetRefused', target, message, retryAtMs: atMs };
  }
  const message = `${targetText(target)} could not be restarted yet: ${error.message}`;
  const soonMs = Math.min(atMs, deps.clock.nowMs() + AWAY_RETRY_MS);
  return { type: 'Trouble', reason: 'TargetUnavailable', target, message, retryAtMs: soonMs };
}

function later({ clock }: Deps, world: World): number {
  return retryAtMs(mine(world), clock.nowMs());
}

const RESULTS = {
  Restarted: 'triggered',
  RestartLimited: 'limited',
  TargetMissing: 'missing',
  TargetRefused: 'refused',
  TargetUnavailable: 'failed',
} as const;

function count(deps: Deps, { kind }: ApiKeyRestartTarget, outcome: Outcome): void {
  if (outcome.type === 'Current' || outcome.type === 'Fresh') return;
  const result = RESULTS[outcome.type === 'Trouble' ? outcome.reason : outcome.type];
  deps.metrics.rollouts.inc({ kind, result });
}
