/**
 * The API server as a person uses it from a command line: whole lists, dry runs, merge patches, and
 * who one is. Each call is made once; a command that failed is run again by whoever called it.
 */
import { type KubeObject, type Ref, refText, type Resource } from '../api/meta.ts';
import { FIELD_MANAGER } from '../api/names.ts';
import { type Clock, sleep } from '../kernel/clock.ts';
import { SECOND_MS } from '../kernel/time.ts';
import type { HttpResponse } from './connection.ts';
import {
  type Call,
  isAbsent,
  parseJson,
  translateResponse,
  translateTransport,
  unreadable,
} from './failures.ts';
import { collectionPath, objectPath } from './paths.ts';
import type { Draft } from './port.ts';
import type { HttpRequest, Transport } from './transport.ts';

/** Whether a write is carried out, or only checked by the API server as if it were. */
export type Writing = 'Carry out' | 'Only check';

/** Who the API server takes us for. */
export type Whoami = {
  readonly username: string;
  /** Absent where accounts have none. */
  readonly uid?: string;
  readonly groups: readonly string[];
};

/** Which objects a list has. */
type ListQuery = {
  /** Absent: all namespaces, or a resource of the whole cluster. */
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
};

/** The verbs; failures are KeywardErrors as in port.ts, 404 of a single object is undefined. */
export interface PersonClient {
  get(resource: Resource, ref: Ref): Promise<KubeObject | undefined>;
  /** All objects of the query, in pages; each page is handed on as it comes, in the server's order. */
  list(resource: Resource, query: ListQuery): AsyncGenerator<readonly KubeObject[]>;
  /**
   * The cells of the server's own table, without the objects: a tenth of the bytes, and far less work
   * for the server. Rows that lack a wanted column have undefined there.
   */
  cells(
    resource: Resource,
    query: ListQuery,
    columns: readonly string[],
  ): Promise<readonly (readonly unknown[])[]>;
  create(resource: Resource, draft: Draft, writing: Writing): Promise<KubeObject>;
  /** JSON merge patch. */
  patch(
    resource: Resource,
    ref: Ref,
    change: { readonly body: object; readonly writing: Writing },
  ): Promise<KubeObject | undefined>;
  whoami(): Promise<Whoami>;
}

/** As kubectl pages: small enough that no answer keeps the server long, few enough calls. */
const PAGE = 500;
const JSON_TYPE = 'application/json';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const SELF_REVIEWS: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
};

/** A busy server says when to come back; it has done nothing by then, so that even a write may be repeated. */
const BUSY_TRIES = 5;
const BUSY_WAIT_MS_MAX = 5 * SECOND_MS;

/** A client on a transport of its own. */
export function createPersonClient(transport: Transport, clock: Clock): PersonClient {
  return new HttpPersonClient(transport, clock);
}

class HttpPersonClient implements PersonClient {
  readonly #transport: Transport;
  readonly #clock: Clock;

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  async get(resource: Resource, ref: Ref): Promise<KubeObject | undefined> {
    const call: Call = { verb: 'get', resource, object: refText(ref) };
    const response = await this.#send(
      { method: 'GET', path: objectPath(resource, ref), accept: JSON_TYPE },
      call,
    );
    return isAbsent(response, ref.name) ? undefined : asObject(success(response, call), call);
  }

  async *list(resource: Resource, query: ListQuery): AsyncGenerator<readonly KubeObject[]> {
    const call: Call = { verb: 'list', resource, object: query.namespace ?? '' };
    let next: string | undefined;
    do {
      const path = `${collectionPath(resource, query.namespace)}?${pageParameters(query, next)}`;
      // Each page is asked for with the mark that came with the one before.
      // oxlint-disable-next-line no-await-in-loop
      const response = await this.#send({ method: 'GET', path, accept: JSON_TYPE }, call);
      const page = asPage(success(response, call), call);
      next = page.next;
      yield page.items;
    } while (next !== undefined);
  }

  async cells(
    resource: Resource,
    query: ListQuery,
    columns: readonly string[],
  ): Promise<readonly (readonly unknown[])[]> {
    const call: Call = { verb: 'list', resource, object: query.namespace ?? '' };
    const parameters = listParameters(query);
    parameters.set('includeObject', 'None');
    const path = `${collectionPath(resource, query.namespace)}?${parameters}`;
    const response = await this.#send({ method: 'GET', path, accept: TABLE }, call);
    return readCells(success(response, call), columns, call);
  }

  async create(resource: Resource, draft: Draft, writing: Writing): Promise<KubeObject> {
    const ref = { namespace: draft.metadata.namespace ?? '', name: draft.metadata.name };
    const call: Call = { verb: 'create', resource, object: refText(ref) };
    const path = `${collectionPath(resource, ref.namespace)}?${writeParameters(writing)}`;
    const response = await this.#send(
      {
        method: 'POST',
        path,
        accept: JSON_TYPE,
        contentType: JSON_TYPE,
        body: JSON.stringify(draft),
      },
      call,
    );
    return asObject(success(response, call), call);
  }

  async patch(
    resource: Resource,
    ref: Ref,
    change: { readonly body: object; readonly writing: Writing },
  ): Promise<KubeObject | undefined> {
    const call: Call = { verb: 'patch', resource, object: refText(ref) };
    const response = await this.#send(
      {
        method: 'PATCH',
        path: `${objectPath(resource, ref)}?${writeParameters(change.writing)}`,
        accept: JSON_TYPE,
        contentType: 'application/merge-patch+json',
        body: JSON.stringify(change.body),
      },
      call,
    );
    return isAbsent(response, ref.name) ? undefined : asObject(success(response, call), call);
  }

  async whoami(): Promise<Whoami> {
    const call: Call = { verb: 'create', resource: SELF_REVIEWS, object: '' };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: SELF_REVIEWS.kind };
    const response = await this.#send(
      {
        method: 'POST',
        path: collectionPath(SELF_REVIEWS),
        accept: JSON_TYPE,
        contentType: JSON_TYPE,
        body: JSON.stringify(body),
      },
      call,
    );
    return asWhoami(success(response, call), call);
  }

  async #send(request: HttpRequest, call: Call): Promise<HttpResponse> {
    try {
      let response = await this.#transport.send(request);
      if (response.head.status === 401) {
        // Nothing was done, so that even a write may be sent again.
        await this.#transport.renewCredentials();
        response = await this.#transport.send(request);
      }
      for (let tries = 1; response.head.status === 429 && tries < BUSY_TRIES; tries += 1) {
        const waitMs = Number(response.head.retryAfter ?? 1) * SECOND_MS || SECOND_MS;
        // Waiting is what this loop is for.
        // oxlint-disable-next-line no-await-in-loop
        await sleep(this.#clock, Math.min(waitMs, BUSY_WAIT_MS_MAX));
        // oxlint-disable-next-line no-await-in-loop
        response = await this.#transport.send(request);
      }
      return response;
    } catch (failure) {
      throw translateTransport(failure, call);
    }
  }
}

function listParameters(query: ListQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  if (query.fieldSelector !== undefined) parameters.set('fieldSelector', query.fieldSelector);
  if (query.labelSelector !== undefined) parameters.set('labelSelector', query.labelSelector);
  return parameters;
}

function pageParameters(query: ListQuery, next: string | undefined): string {
  const parameters = listParameters(query);
  parameters.set('limit', String(PAGE));
  if (next !== undefined) parameters.set('continue', next);
  return parameters.toString();
}

function writeParameters(writing: Writing): string {
  const parameters = new URLSearchParams({
    fieldManager: `${FIELD_MANAGER}-cli`,
    fieldValidation: 'Strict',
  });
  if (writing === 'Only check') parameters.set('dryRun', 'All');
  return parameters.toString();
}

function success(response: HttpResponse, call: Call): Fields {
  const { status, contentType } = response.head;
  if (status < 200 || status > 299) throw translateResponse(response, call);
  const value = contentType.startsWith(JSON_TYPE) ? parseJson(response.body) : undefined;
  const fields = asFields(value);
  if (fields === undefined) throw unreadable(call);
  return fields;
}

type Fields = Readonly<Record<string, unknown>>;

function asFields(value: unknown): Fields | undefined {
  // Parser: any object may be looked into by name; each value is checked where it is used.
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

function asObject(value: Fields, call: Call): KubeObject {
  const name = asFields(value['metadata'])?.['name'];
  if (typeof name !== 'string') throw unreadable(call);
  // Parser: it has a name; the rest is for whoever knows the kind.
  return value as KubeObject;
}

function asPage(
  value: Fields,
  call: Call,
): { readonly items: readonly KubeObject[]; readonly next: string | undefined } {
  const { items } = value;
  if (!Array.isArray(items)) throw unreadable(call);
  const next = asFields(value['metadata'])?.['continue'];
  return {
    // Parser: the API server answers for the objects in its own list.
    items: items as readonly KubeObject[],
    next: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

function readCells(
  value: Fields,
  wanted: readonly string[],
  call: Call,
): readonly (readonly unknown[])[] {
  const { columnDefinitions, rows } = value;
  if (!Array.isArray(columnDefinitions)) throw unreadable(call);
  const names = columnDefinitions.map((column) => asFields(column)?.['name']);
  const places = wanted.map((name) => names.indexOf(name));
  // An empty table has null in place of rows.
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown) => {
    const cells = asFields(row)?.['cells'];
    if (!Array.isArray(cells)) throw unreadable(call);
    return places.map((place): unknown => cells[place]);
  });
}

function asWhoami(value: Fields, call: Call): Whoami {
  const user = asFields(asFields(value['status'])?.['userInfo']);
  const username = user?.['username'];
  if (user === undefined || typeof username !== 'string') throw unreadable(call);
  const { uid, groups } = user;
  return {
    username,
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
  };
}
