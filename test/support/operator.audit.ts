/** The API server's audit log: what really arrived there, whoever claims what. */
import { readFile } from 'node:fs/promises';

/** One finished request, as far as the tests look at it. */
export type Request = {
  readonly user: string;
  readonly verb: string;
  /** Empty for core kinds. */
  readonly group: string;
  /** Empty for paths that are no resource. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly isDryRun: boolean;
};

/** All finished requests of the user, oldest first. */
export async function requestsOf(auditLog: string | undefined, user: string): Promise<Request[]> {
  const text = await readFile(auditLog ?? '', 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes('ResponseComplete'))
    .map(parseEvent)
    .filter((request) => request.user === user);
}

/** Their objects are answered and never kept. */
const QUESTIONS: ReadonlySet<string> = new Set(['authorization.k8s.io', 'authentication.k8s.io']);

/**
 * Those that change something; dry runs and questions do not. Leases aside, which are renewed whatever
 * happens.
 */
export function writesIn(requests: readonly Request[]): Request[] {
  const reads = new Set(['get', 'list', 'watch']);
  return requests.filter(
    ({ verb, group, resource, isDryRun }) =>
      !reads.has(verb) && !QUESTIONS.has(group) && resource !== 'leases' && !isDryRun,
  );
}

type AuditEvent = {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: Partial<
    Record<'apiGroup' | 'resource' | 'subresource' | 'namespace' | 'name', string>
  >;
  readonly responseStatus?: { readonly code?: number };
};

function parseEvent(line: string): Request {
  // Lines of audit.k8s.io/v1, written by the API server itself.
  const { verb, requestURI, user, objectRef = {}, responseStatus } = JSON.parse(line) as AuditEvent;
  const { apiGroup: group = '', resource = '', subresource = '' } = objectRef;
  const { namespace = '', name = '' } = objectRef;
  const code = responseStatus?.code ?? 0;
  const isDryRun = requestURI.includes('dryRun=');
  const what = { verb, group, resource, subresource, namespace, name };
  return { user: user.username, ...what, code, isDryRun };
}
