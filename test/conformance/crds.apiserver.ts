/** Plain requests to the API server, as the administrator or in somebody else's name. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { expect, vi } from 'vitest';
import { parse } from 'yaml';
import type { Endpoint } from '../../control-plane/access.ts';

/** In whose name; absent: the administrator of group system:masters. */
export type Caller = {
  readonly username: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
};

/** What to send. */
export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, from `/api` or `/apis` on. */
  readonly path: string;
  /** PATCH bodies are JSON merge patches. */
  readonly body?: object;
  readonly as?: Caller;
};

/** What came back. `message` is the text of a Status, or '' for an object. */
export type Answer = {
  readonly code: number;
  readonly message: string;
  readonly object: Readonly<Record<string, never>> & { readonly [field: string]: unknown };
};

/** Sends one call; answers of any code are values, a lost connection is an error. */
export type Send = (call: Call) => Promise<Answer>;

/** The operator's account. */
export const OPERATOR: Caller = {
  username: 'system:serviceaccount:keyward-system:keyward-operator',
  groups: ['system:serviceaccounts', 'system:authenticated'],
};

/** Where our kinds are. */
export const API = '/apis/keyward.dev/v1alpha1';

/** What `outcome` says of a call that went through. */
export const accepted = 'accepted';

/** `accepted`, or code and message of the refusal, for comparing in one step. */
export function outcome(answer: Answer): string {
  return answer.code < 300 ? accepted : `${answer.code} ${answer.message}`;
}

/** What `outcome` must equal: accepted, or a refusal that contains the text. */
export function expectedOutcome(refused: string | undefined): unknown {
  return refused === undefined ? accepted : expect.stringContaining(refused);
}

/** An ApiKey as a person would send it; `spec` undefined leaves the field out. */
export function apiKey(name: string, spec: unknown): object {
  return {
    apiVersion: 'keyward.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { name },
    ...(spec === undefined ? {} : { spec }),
  };
}

/**
 * Waits until the policies act. A fresh API server first ignores them for some seconds, and then
 * refuses every object with 503 until the mutating one has learnt the schemas, some seconds more.
 */
export function policiesInForce(send: Send, namespace: string): Promise<void> {
  const ofNamespace = `${API}/namespaces/${namespace}`;
  const store = { apiVersion: 'keyward.dev/v1alpha1', spec: { type: 'Builtin', builtin: {} } };
  const metadata = { name: 'probe' };
  const probes: readonly Call[] = [
    { method: 'POST', path: `${ofNamespace}/apikeys`, body: apiKey('probe', {}) },
    {
      method: 'POST',
      path: `${ofNamespace}/apikeyapplications`,
      body: { apiVersion: store.apiVersion, kind: 'ApiKeyApplication', metadata, spec: {} },
    },
    {
      method: 'POST',
      path: `${ofNamespace}/keystores`,
      body: { ...store, kind: 'KeyStore', metadata },
    },
    {
      method: 'POST',
      path: `${API}/clusterkeystores`,
      body: { ...store, kind: 'ClusterKeyStore', metadata },
    },
  ];
  const probe = async (): Promise<void> => {
    const answers = await Promise.all(
      probes.map((call) => send({ ...call, path: `${call.path}?dryRun=All` })),
    );
    for (const answer of answers) {
      expect(JSON.stringify(answer.object['metadata'])).toContain('keyward.dev/revoke');
    }
    await send(probes[0]!);
    const path = `${ofNamespace}/apikeys/probe/status?dryRun=All`;
    const forged = await send({ method: 'PATCH', path, body: { status: { sequence: 1 } } });
    expect(outcome(forged)).toContain('only the Keyward operator writes status');
  };
  return vi.waitFor(probe, { timeout: 90_000, interval: 250 });
}

/** A sender with the administrator's client certificate. */
export function senderTo(endpoint: Endpoint): Send {
  const config = parse(readFileSync(endpoint.adminKubeconfig, 'utf8')) as Kubeconfig;
  const user = config.users[0]?.user ?? {};
  return senderWith(endpoint, {
    certificatePem: pem(user['client-certificate-data'], user['client-certificate']),
    privateKeyPem: pem(user['client-key-data'], user['client-key']),
  });
}

/** A sender with any client certificate of the control plane's authority. */
export function senderWith(
  endpoint: Endpoint,
  client: { readonly certificatePem: string | Buffer; readonly privateKeyPem: string | Buffer },
): Send {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 8,
    ca: readFileSync(endpoint.caFile),
    cert: client.certificatePem,
    key: client.privateKeyPem,
  });
  return (call) => send(endpoint.url, agent, call);
}

type Kubeconfig = {
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
};

function pem(data: string | undefined, file: string | undefined): Buffer {
  return data === undefined ? readFileSync(file ?? '') : Buffer.from(data, 'base64');
}

function send(url: string, agent: Agent, call: Call): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers: Record<string, string | string[]> = {
    'content-type': call.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
  };
  if (call.as !== undefined) {
    headers['impersonate-user'] = call.as.username;
    headers['impersonate-group'] = [...(call.as.groups ?? ['system:authenticated'])];
    if (call.as.uid !== undefined) headers['impersonate-uid'] = call.as.uid;
  }
  const outgoing = request(url + call.path, { method: call.method, agent, headers }, (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', reject);
    incoming.on('end', () => {
      const object = JSON.parse(Buffer.concat(chunks).toString()) as Answer['object'];
      const message = object['kind'] === 'Status' ? String(object['message'] ?? '') : '';
      resolve({ code: incoming.statusCode ?? 0, message, object });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(call.body === undefined ? undefined : JSON.stringify(call.body));
  return promise;
}
