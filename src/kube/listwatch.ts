/** The two ways of reading a whole collection: pages of a list, and a watch. */
import type { KubeObject } from '../api/meta.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { CallMetrics } from './callmetrics.ts';
import type { HttpResponse } from './connection.ts';
import {
  type Call,
  parseJson,
  readStatus,
  translateResponse,
  translateStatus,
  translateTransport,
  unreadable,
} from './failures.ts';
import { collectionPath } from './paths.ts';
import type { WatchScope } from './port.ts';
import type { HttpRequest, Transport } from './transport.ts';
import { FrameReader, type WatchFrame } from './watchstream.ts';

/** One page of a list. `next` is '' on the last one. */
export type Page = {
  readonly items: readonly KubeObject[];
  readonly version: string;
  readonly next: string;
};

/** How to open a watch. */
type WatchOptions = {
  /** Absent: the stream begins with everything there is, ended by a marked bookmark. */
  readonly version?: string;
  /** After which the server ends the stream. */
  readonly timeoutSeconds: number;
  /** After which a stream without a byte counts as dead. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
};

/** What bookmarks and changes have in common. */
export type WatchEvent = WatchFrame & { readonly type: Exclude<WatchFrame['type'], 'ERROR'> };

/** 500 objects cost 5 seats of priority and fairness; the whole would cost up to 100. */
export const PAGE_SIZE = 500;

/** Which page to ask for. */
type PageRequest = {
  /** What the page before said, '' for the first. */
  readonly next: string;
  /** How many objects at most; pages of one list may differ in this. */
  readonly limit: number;
};
const INITIAL_END = 'k8s.io/initial-events-end';
const METADATA = 'as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** Lists and watches one scope; keeps no state between calls. */
export class ListWatch {
  readonly #transport: Transport;
  readonly #scope: WatchScope;
  readonly #metrics: CallMetrics | undefined;

  constructor(transport: Transport, scope: WatchScope, metrics?: CallMetrics) {
    this.#transport = transport;
    this.#scope = scope;
    this.#metrics = metrics;
  }

  /**
   * A page of a quorum read.
   *
   * @throws KeywardError Transient AnswerTooLong where fewer objects have to be asked for
   */
  async list({ next, limit }: PageRequest, signal: AbortSignal): Promise<Page> {
    const call = this.#call('list');
    const query = new URLSearchParams({ limit: String(limit) });
    if (next !== '') query.set('continue', next);
    const response = await this.#send({ ...this.#request(query, METADATA_LIST), signal }, call);
    const page = parsePage(response);
    if (page === undefined) throw unreadable(call);
    return page;
  }

  /**
   * Follows the collection; resolves when the server ends the stream in good order. An ERROR frame,
   * a refusal and a broken stream are thrown as KeywardErrors.
   */
  async watch(options: WatchOptions, onEvent: (event: WatchEvent) => void): Promise<void> {
    const call = this.#call('watch');
    let thrown: unknown;
    const reader = new FrameReader((frame) => onEvent(checked(frame, call)));
    const onChunk = (chunk: Buffer): void => {
      try {
        reader.push(chunk);
      } catch (error) {
        thrown = error instanceof SyntaxError ? unreadable(call) : error;
        throw error;
      }
    };
    const { signal, silenceMs } = options;
    const request = this.#request(watchQuery(options), METADATA);
    try {
      await this.#send({ ...request, signal, silenceMs, onChunk }, call);
    } catch (failure) {
      throw thrown === undefined ? failure : translateTransport(thrown, call);
    }
  }

  #call(verb: 'list' | 'watch'): Call {
    return { verb, resource: this.#scope.resource, object: this.#scope.namespace ?? '' };
  }

  #request(query: URLSearchParams, metadataForm: string): HttpRequest {
    const { resource, namespace, labelSelector, metadataOnly } = this.#scope;
    if (labelSelector !== undefined) query.set('labelSelector', labelSelector);
    const accept = metadataOnly === true ? `application/json;${metadataForm}` : 'application/json';
    return { method: 'GET', path: `${collectionPath(resource, namespace)}?${query}`, accept };
  }

  async #send(request: HttpRequest, call: Call): Promise<HttpResponse> {
    let code = '<error>';
    try {
      const response = await this.#transport.send(request);
      code = String(response.head.status);
      if (response.head.status === 200) return response;
      if (response.head.status === 401) await this.#transport.renewCredentials();
      throw translateResponse(response, call);
    } catch (failure) {
      throw translateTransport(failure, call);
    } finally {
      this.#metrics?.count(request.method, code);
    }
  }
}

function watchQuery(options: WatchOptions): URLSearchParams {
  const { version, timeoutSeconds } = options;
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(timeoutSeconds),
  });
  if (version === undefined) {
    // No resourceVersion: the start must be at least as fresh as a quorum read, never a cached past.
    query.set('sendInitialEvents', 'true');
    query.set('resourceVersionMatch', 'NotOlderThan');
  } else {
    query.set('resourceVersion', version);
  }
  return query;
}

/** ERROR frames become what they mean; the rest must carry an object. */
function checked(frame: WatchFrame, call: Call): WatchEvent {
  const { type, object } = frame;
  if (type === 'ERROR') throw translateStatus(readStatus(object, 500), call);
  if (typeof object !== 'object' || object === null) throw unreadable(call);
  return { type, object };
}

function parsePage(response: HttpResponse): Page | undefined {
  // Parser: the three fields that are used are checked here, items one by one in the cache.
  const list = parseJson(response.body) as {
    items?: KubeObject[] | null;
    metadata?: { resourceVersion?: string; continue?: string };
  } | null;
  const version = list?.metadata?.resourceVersion;
  if (typeof version !== 'string' || version === '') return undefined;
  // An empty list of metadata is sent as null, any other as [].
  const items = list?.items === null ? [] : list?.items;
  if (!Array.isArray(items)) return undefined;
  return { items, version, next: list?.metadata?.continue ?? '' };
}

/** The version that an event brings; what has none is thrown as Transient. */
export function versionOf(event: WatchEvent): string {
  // Parser: anything without a version text is no event.
  const meta = (event.object as { metadata?: { resourceVersion?: unknown } } | null)?.metadata;
  if (typeof meta?.resourceVersion === 'string') return meta.resourceVersion;
  throw new KeywardError('Transient', {
    reason: 'UnexpectedAnswer',
    message: 'the API server sent a watch event without a version',
  });
}

/** Whether a bookmark ends the initial events of a watch-list. */
export function isInitialEnd(event: WatchEvent): boolean {
  // Parser: one annotation of a bookmark, absent in most.
  const { metadata } = event.object as { metadata?: { annotations?: Record<string, unknown> } };
  return metadata?.annotations?.[INITIAL_END] === 'true';
}
