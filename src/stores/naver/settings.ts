/** Pure; `KeyStore.spec.naver` as the driver understands it. */
import { SECOND_MS } from '../../kernel/time.ts';
import type { RemoteHandle } from '../contract.ts';

/** Zones of the vendor: public, government, finance. */
export const HOSTS: readonly string[] = [
  'apigateway.apigw.ntruss.com',
  'apigateway.apigw.gov-ntruss.com',
  'apigateway.apigw.fin-ntruss.com',
];

/** The settings of one store; `tenantId` absent: the access key stands for the account. */
export type Settings = Pick<
  RemoteHandle,
  'endpoint' | 'settleMs' | 'deleteGraceMs' | 'onExpiry'
> & { readonly secretName: string; readonly tenantId: string | undefined };

const DEFAULT_ENDPOINT = `https://${HOSTS[0]}/api/v1`;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const SETTLE_SECONDS = 30;

/** Repeats what the schema checks, because stores may be older than the schema. */
export function parseSettings(
  member: Readonly<Record<string, unknown>>,
): Settings | { readonly problem: string } {
  const endpoint = parseEndpoint(member['endpoint'] ?? DEFAULT_ENDPOINT);
  if (endpoint === undefined) {
    return { problem: 'spec.naver.endpoint must be an https address without user and query' };
  }
  const secretName = parseSecretName(member['credentialsSecretRef']);
  if (secretName === undefined) {
    return { problem: 'spec.naver.credentialsSecretRef.name must name a Secret' };
  }
  const tenantId = member['tenantId'];
  if (tenantId !== undefined && !isText(tenantId)) {
    return { problem: 'spec.naver.tenantId must be a text' };
  }
  const { onExpiry = 'Disable' } = member;
  if (onExpiry !== 'Disable' && onExpiry !== 'Delete') {
    return { problem: `spec.naver.onExpiry ${JSON.stringify(onExpiry)} is unknown` };
  }
  const settleMs = parseSeconds(member['settleSeconds'] ?? SETTLE_SECONDS);
  const deleteGraceMs = parseSeconds(member['deleteGraceSeconds'] ?? 0);
  if (settleMs === undefined || deleteGraceMs === undefined) {
    return { problem: 'spec.naver: seconds must be whole numbers from 0 on' };
  }
  return { endpoint, secretName, tenantId, onExpiry, settleMs, deleteGraceMs };
}

function parseSecretName(ref: unknown): string | undefined {
  const name = typeof ref === 'object' && ref !== null && 'name' in ref ? ref.name : undefined;
  return isText(name) ? name : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function parseEndpoint(text: unknown): URL | undefined {
  const url = typeof text === 'string' ? URL.parse(text) : null;
  if (url === null) return undefined;
  const isSafe =
    url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
  const isBare = url.username + url.password + url.search + url.hash === '';
  return isSafe && isBare ? url : undefined;
}

function parseSeconds(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) * SECOND_MS : undefined;
}
