/**
 * The API server as a person of the tests uses it: plain requests over one kept connection, because
 * a kubectl process for each look would cost more than what is tested.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import type { KubeObject, Resource } from '../../src/api/meta.ts';
import { objectPath, collectionPath } from '../../src/kube/paths.ts';

/** Any object, looked into by the test that knows its kind. */
export type Loose = KubeObject<{
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}>;

/** An object that is about to exist; kind and version are filled in. */
export type Draft = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
};

/** What the API server answered; `body` is an object, a list or a Status. */
export type Answer = { readonly code: number; readonly body: unknown };

/** Whose name an administrator acts in. `system:authenticated` is added by the API server. */
export type Who = { readonly username: string; readonly groups?: readonly string[] };

/** A request that the API server refused. `message` holds its words. */
export class RefusedError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

const DEADLINE_MS = 20_000;

type Parts = {
  readonly url: URL;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** The connections belong to somebody else, who closes them. */
  readonly isShared: boolean;
};

/** Requests under one identity. */
export class TestApi {
  readonly #parts: Parts;

  /** @param kubeconfig path of one with a client certificate or a token */
  static async open(kubeconfig: string): Promise<TestApi> {
    const identity = readIdentity(parse(await readFile(kubeconfig, 'utf8')));
    const { server, ca, cert, key, token } = identity;
    const agent = new Agent({ keepAlive: true, maxSockets: 16, ca, cert, key });
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return new TestApi({ url: new URL(server), agent, headers, isShared: false });
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Requests in the name of somebody else, which an administrator may make, over the same connections.
   * @param group of a user who is given as a text; absent: none, so rights are those of the user name
   */
  as(who: string | Who, group?: string): TestApi {
    const { username, groups = group === undefined ? [] : [group] }: Who =
      typeof who === 'string' ? { username: who } : who;
    const impersonation = {
      'impersonate-user': encodeURI(username),
      ...(groups.length === 0 ? {} : { 'impersonate-group': groups }),
    };
    return new TestApi({
      ...this.#parts,
      headers: { ...this.#parts.headers, ...impersonation },
      isShared: true,
    });
  }

  /** The answer, whatever it is; rejects only when there is none. */
  async request(method: string, path: string, body?: unknown, type?: string): Promise<Answer> {
    const { url, agent, headers } = this.#parts;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const req = request(new URL(path, url), {
      method,
      agent,
      headers: { ...headers, 'content-type': type ?? 'application/json' },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    req.once('error', reject);
    req.once('response', (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      res.once('error', reject);
      res.once('end', () =>
        resolve({ code: res.statusCode ?? 0, body: parseBody(Buffer.concat(parts).toString()) }),
      );
    });
    req.end(text);
    return await promise;
  }

  /** The object, or undefined when there is none. */
  async get(resource: Resource, namespace: string, name: string): Promise<Loose | undefined> {
    const answer = await this.request('GET', objectPath(resource, { namespace, name }));
    return answer.code === 404 ? undefined : expectObject(answer);
  }

  /** Everything of the kind in the namespace. */
  async list(resource: Resource, namespace: string): Promise<readonly Loose[]> {
    const answer = await this.request('GET', collectionPath(resource, namespace));
    if (answer.code >= 300) throw refused(answer);
    // A list of the API server has items.
    return (answer.body as { readonly items: readonly Loose[] }).items;
  }

  /** Creates the object. @throws RefusedError */
  async create(resource: Resource, object: Draft): Promise<Loose> {
    const { namespace = '' } = object.metadata;
    const { group, version, kind } = resource;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const body = { apiVersion, kind, ...object };
    return expectObject(await this.request('POST', collectionPath(resource, namespace), body));
  }

  /** Merge patch; null removes. @throws RefusedError */
  async patch(
    resource: Resource,
    [namespace, name]: readonly [string, string],
    change: object,
    subresource = '',
  ): Promise<Loose> {
    const path = objectPath(resource, { namespace, name }) + subresource;
    return expectObject(await this.request('PATCH', path, change, 'application/merge-patch+json'));
  }

  /** Begins the deletion; an object that is gone already is fine. @throws RefusedError */
  async remove(resource: Resource, namespace: string, name: string): Promise<void> {
    const answer = await this.request('DELETE', objectPath(resource, { namespace, name }));
    if (answer.code >= 300 && answer.code !== 404) throw refused(answer);
  }

  /** Lets the connections go. */
  close(): void {
    if (!this.#parts.isShared) this.#parts.agent.destroy();
  }
}

type Identity = {
  readonly server: string;
  readonly ca: string;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
};

/** The one cluster and the one user of a kubeconfig that the harness wrote. */
function readIdentity(config: unknown): Identity {
  // The harness writes these files itself, always of this shape.
  const { clusters, users } = config as {
    clusters: [{ cluster: Record<string, string> }];
    users: [{ user: Record<string, string> }];
  };
  const { cluster } = clusters[0];
  const { user } = users[0];
  const decode = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : Buffer.from(text, 'base64').toString();
  return {
    server: cluster['server'] ?? '',
    ca: decode(cluster['certificate-authority-data']) ?? '',
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
    token: user['token'],
  };
}

function parseBody(text: string): unknown {
  try {
    // JSON of any shape; callers know what they asked for.
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function expectObject(answer: Answer): Loose {
  if (answer.code >= 300) throw refused(answer);
  // A 2xx answer to a request for one object is that object.
  return answer.body as Loose;
}

function refused({ code, body }: Answer): RefusedError {
  const isStatus = typeof body === 'object' && body !== null && 'message' in body;
  return new RefusedError(code, isStatus ? String(body.message) : String(body));
}
