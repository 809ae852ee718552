/**
 * Records Events (events.k8s.io/v1). Events are writes like any other, so there are few: repeats are
 * counted in a series, an object has a lifetime limit, and under load they are the first to go.
 */
import { createHash } from 'node:crypto';
import type { Ref } from '../api/meta.ts';
import { CONTROLLER_NAME, EVENTS } from '../api/names.ts';
import type { Clock } from '../kernel/clock.ts';
import { classify } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { Counter, type Registry } from '../kernel/metrics.ts';
import { formatMicroTime } from './microtime.ts';
import type { Draft, KubeClient } from './port.ts';

/** The object that an event is about. */
type EventObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly ref: Ref;
  readonly uid: string;
};

/** Something that happened, once. Never key material. */
export type EventInput = {
  readonly regarding: EventObject;
  readonly related?: EventObject;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from the closed list of reasons. */
  readonly reason: string;
  /** What was done or tried, CamelCase, such as Issue. */
  readonly action: string;
  /** For people; cut at 1 kB. */
  readonly note: string;
};

/** Where events go. Never throws and never waits. */
export interface EventRecorder {
  record(event: EventInput): void;
}

/** Why an event was not written. */
type EventDrop = 'Repeated' | 'ObjectLimit' | 'RateLimit' | 'QueueFull' | 'Failed';

/** What a recorder is made of; `client` should be an ordinary one, events may wait. */
type RecorderOptions = {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of this process, at most 128 characters; usually the pod's. */
  readonly instance: string;
  readonly onDrop?: (why: EventDrop) => void;
};

/** What is remembered of an object: how often it was written about, and per reason since when. */
type History = { writes: number; readonly reasons: Map<string, Repeat>; heardMs: number };
type Repeat = { writtenMs: number; suppressed: number };
type Pending = { readonly event: EventInput; readonly count: number; readonly atMs: number };

const WRITES_PER_OBJECT_MAX = 10;
const REPEAT_MS = 600_000;
/** One event per second on the average, 50 at once: below 1 % of what an API server can write. */
const BUCKET_SIZE = 50;
const BUCKET_REFILL_MS = 1_000;
const PENDING_MAX = 100;
/** Objects remembered; about 3 MB. The longest silent one is forgotten first, */
const OBJECTS_MAX = 10_000;
/** and whichever was silent for so long: most of those are gone for good. */
const SILENT_MS = 2 * REPEAT_MS;
const NOTE_BYTES_MAX = 1_024;
/** Leaves room for the digest within the 253 characters of an object name. */
const NAME_PART_MAX = 230;

/** Registers `keyward_events_dropped_total`; once per registry. Give the result as `onDrop`. */
export function createEventMetrics(registry: Registry): (why: EventDrop) => void {
  const dropped = new Counter({
    name: 'keyward_events_dropped_total',
    help: 'Events that were not written, by why; repeats are counted in the series.',
    labelNames: ['why'],
    registers: [registry],
  });
  return (why) => dropped.inc({ why });
}

/** The recorder of one process. */
export class LimitedEventRecorder implements EventRecorder {
  readonly #options: RecorderOptions;
  readonly #histories = new Map<string, History>();
  readonly #pending: Pending[] = [];
  #tokens = BUCKET_SIZE;
  #refilledMs: number;
  #writing: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#refilledMs = options.clock.monotonicMs();
  }

  record(event: EventInput): void {
    const nowMs = this.#options.clock.monotonicMs();
    const { uid } = event.regarding;
    const history = this.#histories.get(uid) ?? { writes: 0, reasons: new Map(), heardMs: nowMs };
    history.heardMs = nowMs;
    const repeat = history.reasons.get(event.reason);
    const drop = this.#reasonToDrop(history, repeat, nowMs);
    // Nothing is to be remembered of whom nothing was written: under load those are nearly all.
    if (drop === undefined || history.writes > 0) this.#remember(uid, history, nowMs);
    if (drop !== undefined) {
      if (repeat !== undefined) repeat.suppressed += 1;
      this.#options.onDrop?.(drop);
      return;
    }
    history.writes += 1;
    history.reasons.set(event.reason, { writtenMs: nowMs, suppressed: 0 });
    const count = 1 + (repeat?.suppressed ?? 0);
    this.#pending.push({ event, count, atMs: this.#options.clock.nowMs() });
    this.#writing ??= this.#writeAll();
  }

  /** Objects of which it is remembered what was written. */
  get size(): number {
    return this.#histories.size;
  }

  /** Resolves when everything recorded so far was written or dropped. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #reasonToDrop(
    history: History,
    repeat: Repeat | undefined,
    nowMs: number,
  ): EventDrop | undefined {
    if (history.writes >= WRITES_PER_OBJECT_MAX) return 'ObjectLimit';
    if (repeat !== undefined && nowMs - repeat.writtenMs < REPEAT_MS) return 'Repeated';
    if (this.#pending.length >= PENDING_MAX) return 'QueueFull';
    return this.#takeToken(nowMs) ? undefined : 'RateLimit';
  }

  #takeToken(nowMs: number): boolean {
    const refill = Math.floor((nowMs - this.#refilledMs) / BUCKET_REFILL_MS);
    if (refill > 0) {
      this.#tokens = Math.min(BUCKET_SIZE, this.#tokens + refill);
      this.#refilledMs += refill * BUCKET_REFILL_MS;
    }
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  #remember(uid: string, history: History, nowMs: number): void {
    // Taken out and put back, so that the first entry is the one that was silent longest.
    this.#histories.delete(uid);
    this.#histories.set(uid, history);
    for (const [oldest, { heardMs }] of this.#histories) {
      if (nowMs - heardMs < SILENT_MS && this.#histories.size <= OBJECTS_MAX) return;
      this.#histories.delete(oldest);
    }
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      // One at a time: events must not compete with the writes they report.
      // oxlint-disable-next-line no-await-in-loop
      await this.#write(next);
    }
    this.#writing = undefined;
  }

  async #write(pending: Pending): Promise<void> {
    try {
      await this.#createOrCount(pending);
    } catch (thrown) {
      const { reason, message } = classify(thrown);
      this.#options.onDrop?.('Failed');
      this.#options.log.debug('event not written', { reason, message });
    }
  }

  async #createOrCount(pending: Pending): Promise<void> {
    const draft = this.#draft(pending);
    try {
      await this.#options.client.create(EVENTS, draft);
    } catch (thrown) {
      if (classify(thrown).reason !== 'AlreadyExists') throw thrown;
      await this.#count(draft, pending);
    }
  }

  /** The same event again, of this process or of the one before: one more in its series. */
  async #count(draft: Draft, pending: Pending): Promise<void> {
    const { name, namespace = '' } = draft.metadata;
    const held = await this.#options.client.get(EVENTS, { namespace, name });
    if (held === undefined) return;
    // Parser: an Event of any writer; only the number is taken from its series.
    const { series, ...rest } = held as typeof held & { series?: { count?: unknown } };
    const before = typeof series?.count === 'number' ? series.count : 1;
    const count = before + pending.count;
    const lastObservedTime = formatMicroTime(pending.atMs);
    await this.#options.client.replace(EVENTS, {
      ...rest,
      apiVersion: draft.apiVersion,
      kind: draft.kind,
      series: { count, lastObservedTime },
    });
  }

  #draft(pending: Pending): Draft {
    const { event, atMs } = pending;
    const { regarding, related, type, reason, action } = event;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: eventName(event),
        // Events about cluster-scoped objects live in "default" (API server validation).
        namespace: regarding.ref.namespace === '' ? 'default' : regarding.ref.namespace,
      },
      eventTime: formatMicroTime(atMs),
      reportingController: CONTROLLER_NAME,
      reportingInstance: this.#options.instance,
      type,
      reason,
      action,
      note: cutNote(event.note),
      regarding: objectReference(regarding),
      ...(related === undefined ? {} : { related: objectReference(related) }),
    };
  }
}

/** Same event, same name, in every process: a restart counts on instead of repeating. */
function eventName(event: EventInput): string {
  const { regarding, related, type, reason, action, note } = event;
  const parts = [regarding.uid, related?.uid ?? '', type, reason, action, note];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  return `${regarding.ref.name.slice(0, NAME_PART_MAX).replace(/[.-]+$/, '')}.${digest}`;
}

function objectReference(object: EventObject): object {
  const { apiVersion, kind, ref, uid } = object;
  const where = ref.namespace === '' ? {} : { namespace: ref.namespace };
  return { apiVersion, kind, name: ref.name, uid, ...where };
}

function cutNote(note: string): string {
  const bytes = Buffer.from(note, 'utf8');
  if (bytes.length <= NOTE_BYTES_MAX) return note;
  // A character that was cut in half decodes to the replacement character.
  const whole = bytes.toString('utf8', 0, NOTE_BYTES_MAX - 4).replace(/\uFFFD+$/, '');
  return `${whole}…`;
}
