/** KubeClient over HTTP: one request per verb, metadata-only answers to writes. */
import { type KubeObject, type ObjectMeta, type Ref, refText, type Resource } from '../api/meta.ts';
import { FIELD_MANAGER } from '../api/names.ts';
import type { Clock } from '../kernel/clock.ts';
import { MINUTE_MS } from '../kernel/time.ts';
import type { CallMetrics } from './callmetrics.ts';
import { ClusterClock } from './clusterclock.ts';
import { type HttpResponse, TransportFailure } from './connection.ts';
import {
  type Call,
  isAbsent,
  parseJson,
  translateResponse,
  translateTransport,
  unreadable,
} from './failures.ts';
import { Lanes, type LaneLimits, type Urgency } from './lanes.ts';
import { collectionPath, objectPath } from './paths.ts';
import type {
  CallOptions,
  CreateOptions,
  Draft,
  ForeignPatch,
  KubeClient,
  Written,
} from './port.ts';
import type { HttpRequest, Transport } from './transport.ts';

/** What the clients of one process are made of. */
type ClientOptions = {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly metrics?: CallMetrics;
  /** Absent: 32 in flight, 4 more for urgent calls. */
  readonly limits?: LaneLimits;
};

/** 32 saturate an API server on a small machine; beyond, calls only wait on its side instead of ours. */
const DEFAULT_LIMITS: LaneLimits = { inFlightMax: 32, urgentReserve: 4 };
const JSON_TYPE = 'application/json';
/** Answers carry metadata only; a Secret's values do not travel back. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
/** Who was stopped meanwhile reads an answer long after it was written; its date says nothing any more. */
const DATE_FRESH_MS = MINUTE_MS / 2;

type Sent = Pick<HttpRequest, 'method' | 'path' | 'accept' | 'contentType' | 'body'>;

/** The two views of one connection pool: what is written through `urgent` goes before the rest. */
export type Clients = {
  readonly ordinary: KubeClient;
  readonly urgent: KubeClient;
  /** The time, by what their answers say. */
  readonly clock: ClusterClock;
};

/** Makes the clients of one process; they share places, connections and metrics. */
export function createClients(options: ClientOptions): Clients {
  const caller = new Caller(options);
  return {
    ordinary: new HttpKubeClient(caller, 'Ordinary'),
    urgent: new HttpKubeClient(caller, 'Urgent'),
    clock: caller.clock,
  };
}

/** Places, credentials, metrics and the server's clock: what all calls share. */
class Caller {
  readonly #transport: Transport;
  readonly clock: ClusterClock;
  readonly #metrics: CallMetrics | undefined;
  readonly #lanes: Lanes;

  constructor(options: ClientOptions) {
    this.#transport = options.transport;
    this.clock = new ClusterClock(options.clock);
    this.#metrics = options.metrics;
    this.#lanes = new Lanes(options.limits ?? DEFAULT_LIMITS);
  }

  /** The answer, whatever its status; a 401 was tried again once with fresh credentials. */
  async call(
    sent: Sent,
    call: Call,
    how: CallOptions & { urgency: Urgency },
  ): Promise<HttpResponse> {
    const { signal, urgency } = how;
    try {
      await this.#lanes.enter(urgency, signal);
    } catch (cause) {
      throw aborted(call, cause);
    }
    try {
      const first = await this.#send({ ...sent, signal });
      if (first.head.status !== 401) return first;
      // Nothing was done, so that even a write may be sent again.
      await this.#transport.renewCredentials();
      return await this.#send({ ...sent, signal });
    } catch (failure) {
      throw translateTransport(failure, call);
    } finally {
      this.#lanes.leave();
    }
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    const startMs = this.clock.monotonicMs();
    let code = '<error>';
    try {
      const response = await this.#transport.send(request);
      code = String(response.head.status);
      const { date } = response.head;
      const roundTripMs = this.clock.monotonicMs() - startMs;
      if (date !== undefined && roundTripMs <= DATE_FRESH_MS) this.clock.note(date, roundTripMs);
      return response;
    } finally {
      this.#metrics?.observe(request.method, code, (this.clock.monotonicMs() - startMs) / 1_000);
    }
  }
}

class HttpKubeClient implements KubeClient {
  readonly #caller: Caller;
  readonly #urgency: Urgency;

  constructor(caller: Caller, urgency: Urgency) {
    this.#caller = caller;
    this.#urgency = urgency;
  }

  get clockSkewMs(): number {
    return this.#caller.clock.skewMs;
  }

  get isClockTrusted(): boolean {
    return this.#caller.clock.isTrusted;
  }

  async get(resource: Resource, ref: Ref, how?: CallOptions): Promise<KubeObject | undefined> {
    const call: Call = { verb: 'get', resource, object: refText(ref) };
    const sent: Sent = { method: 'GET', path: objectPath(resource, ref), accept: JSON_TYPE };
    const response = await this.#call(sent, call, how);
    if (isAbsent(response, ref.name)) return undefined;
    const object = success(response, call);
    if (readMeta(object)?.name !== ref.name) throw unreadable(call);
    // Parser: name, uid and version were checked; the rest is for whoever knows the kind.
    return object as KubeObject;
  }

  async create(resource: Resource, draft: Draft, how?: CreateOptions): Promise<Written> {
    const path = collectionPath(resource, draft.metadata.namespace);
    const call: Call = { verb: 'create', resource, object: draftText(draft) };
    const sent = write('POST', path, draft);
    if (how?.dryRun !== true) return readWritten(await this.#call(sent, call, how), call);
    const pretended = { ...sent, path: `${sent.path}&dryRun=All` };
    return readPretended(await this.#call(pretended, call, how), call);
  }

  replace(resource: Resource, draft: Draft, how?: CallOptions): Promise<Written | undefined> {
    return this.#put(resource, { draft, suffix: '' }, how);
  }

  replaceStatus(resource: Resource, draft: Draft, how?: CallOptions): Promise<Written | undefined> {
    return this.#put(resource, { draft, suffix: '/status' }, how);
  }

  async patchMetadata(
    resource: Resource,
    ref: Ref,
    metadata: Partial<ObjectMeta> & Pick<ObjectMeta, 'uid' | 'resourceVersion'>,
    how?: CallOptions,
  ): Promise<Written | undefined> {
    return this.#patch(resource, ref, { fieldManager: FIELD_MANAGER, body: { metadata } }, how);
  }

  patchForeign(
    resource: Resource,
    ref: Ref,
    patch: ForeignPatch,
    how?: CallOptions,
  ): Promise<Written | undefined> {
    return this.#patch(resource, ref, patch, how);
  }

  async delete(
    resource: Resource,
    ref: Ref & { uid: string },
    how?: CallOptions,
  ): Promise<boolean> {
    const call: Call = { verb: 'delete', resource, object: refText(ref) };
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: ref.uid },
    };
    const sent = write('DELETE', objectPath(resource, ref), body);
    const response = await this.#call(sent, call, how);
    if (isAbsent(response, ref.name)) return false;
    if (response.head.status === 409 && (await this.#isReplaced(resource, ref, how))) return false;
    success(response, call);
    return true;
  }

  async ask(resource: Resource, question: object, how?: CallOptions): Promise<unknown> {
    const call: Call = { verb: 'create', resource, object: resource.kind };
    const sent = { ...write('POST', collectionPath(resource), question), accept: JSON_TYPE };
    return success(await this.#call(sent, call, how), call);
  }

  async #put(
    resource: Resource,
    what: { readonly draft: Draft; readonly suffix: '' | '/status' },
    how?: CallOptions,
  ): Promise<Written | undefined> {
    const { draft, suffix } = what;
    const { name, namespace = '', resourceVersion } = draft.metadata;
    const call: Call = { verb: 'replace', resource, object: draftText(draft) };
    // Without a version the API server overwrites whatever is there, even somebody else's Secret.
    if (resourceVersion === undefined || resourceVersion === '') {
      throw new TypeError(`replace of ${resource.kind} ${call.object} without resourceVersion`);
    }
    const path = `${objectPath(resource, { namespace, name })}${suffix}`;
    const response = await this.#call(write('PUT', path, draft), call, how);
    return isAbsent(response, name) ? undefined : readWritten(response, call);
  }

  async #patch(
    resource: Resource,
    ref: Ref,
    { fieldManager, body }: ForeignPatch,
    how?: CallOptions,
  ): Promise<Written | undefined> {
    const call: Call = { verb: 'patch', resource, object: refText(ref) };
    const sent: Sent = {
      ...write('PATCH', objectPath(resource, ref), body, fieldManager),
      contentType: 'application/merge-patch+json',
    };
    const response = await this.#call(sent, call, how);
    return isAbsent(response, ref.name) ? undefined : readWritten(response, call);
  }

  /** After a refused deletion: whether the object of that UID is gone, and another has its name. */
  async #isReplaced(
    resource: Resource,
    ref: Ref & { uid: string },
    how?: CallOptions,
  ): Promise<boolean> {
    const call: Call = { verb: 'get', resource, object: refText(ref) };
    const sent: Sent = { method: 'GET', path: objectPath(resource, ref), accept: METADATA_ONLY };
    const response = await this.#call(sent, call, how);
    if (isAbsent(response, ref.name)) return true;
    return readMeta(success(response, call))?.uid !== ref.uid;
  }

  #call(sent: Sent, call: Call, how: CallOptions = {}): Promise<HttpResponse> {
    return this.#caller.call(sent, call, { ...how, urgency: this.#urgency });
  }
}

function write(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body: object,
  fieldManager = FIELD_MANAGER,
): Sent {
  return {
    method,
    path: method === 'DELETE' ? path : `${path}?fieldManager=${fieldManager}`,
    accept: METADATA_ONLY,
    contentType: JSON_TYPE,
    body: JSON.stringify(body),
  };
}

/** The JSON value of a 2xx answer; every other answer is thrown as what it means. */
function success(response: HttpResponse, call: Call): unknown {
  const { status, contentType } = response.head;
  if (status < 200 || status > 299) throw translateResponse(response, call);
  const value = contentType.startsWith(JSON_TYPE) ? parseJson(response.body) : undefined;
  if (typeof value !== 'object' || value === null) throw unreadable(call);
  return value;
}

/**
 * The beginning of a metadata-only answer as API servers write it. Anchored, and without room for
 * anything but these fields in this order, so that nothing else can be taken for them; whatever
 * looks different is parsed as a whole. Parsing costs ten times as much.
 */
const WRITTEN =
  /^\{"kind":"PartialObjectMetadata","apiVersion":"meta\.k8s\.io\/v1","metadata":\{"name":"([a-z0-9.-]+)",(?:"namespace":"[a-z0-9-]+",)?"uid":"([0-9a-f-]+)","resourceVersion":"(\d+)",(?:"generation":(\d{1,15}),)?"creationTimestamp":/;
/** Longer than the longest such beginning. */
const WRITTEN_BYTES = 640;

function scanWritten({ head, body }: HttpResponse): Written | undefined {
  if (head.status < 200 || head.status > 299 || !head.contentType.startsWith(JSON_TYPE)) return;
  const match = WRITTEN.exec(body.toString('latin1', 0, WRITTEN_BYTES));
  const [, name, uid, resourceVersion, generation] = match ?? [];
  if (name === undefined || uid === undefined || resourceVersion === undefined) return;
  if (generation === undefined) return { name, uid, resourceVersion };
  return { name, uid, resourceVersion, generation: Number(generation) };
}

function readWritten(response: HttpResponse, call: Call): Written {
  const scanned = scanWritten(response);
  if (scanned !== undefined) return scanned;
  const meta = readMeta(success(response, call));
  if (meta === undefined) throw unreadable(call);
  const { name, uid, resourceVersion, generation } = meta;
  if (generation === undefined) return { name, uid, resourceVersion };
  return { name, uid, resourceVersion, generation };
}

/** What was not stored has no version. */
function readPretended(response: HttpResponse, call: Call): Written {
  // Parser: each field is checked before it is used.
  const { metadata } = success(response, call) as { metadata?: Partial<ObjectMeta> };
  const { name, uid } = metadata ?? {};
  if (typeof name !== 'string' || typeof uid !== 'string') throw unreadable(call);
  return { name, uid, resourceVersion: '' };
}

/** Metadata of an object that the server sent; undefined when it is none. */
function readMeta(object: unknown): ObjectMeta | undefined {
  // Parser: the fields that everything relies on are checked, the API server answers for the rest.
  const meta = (object as { metadata?: Partial<ObjectMeta> }).metadata;
  const isComplete =
    typeof meta?.name === 'string' &&
    typeof meta.uid === 'string' &&
    typeof meta.resourceVersion === 'string';
  return isComplete ? (meta as ObjectMeta) : undefined;
}

function draftText(draft: Draft): string {
  return refText({ namespace: draft.metadata.namespace ?? '', name: draft.metadata.name });
}

function aborted(call: Call, cause: unknown): Error {
  return translateTransport(new TransportFailure('NotSent', 'Aborted', cause), call);
}
