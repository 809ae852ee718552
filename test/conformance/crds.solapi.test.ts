/** Every rule of the member `solapi` of the KeyStore schemas. */
import { beforeAll, describe, expect, it } from 'vitest';
import { freshNamespace, sharedControlPlane } from '../support/controlplane.ts';
import { API, expectedOutcome, outcome, policiesInForce, senderTo } from './crds.apiserver.ts';

const access = sharedControlPlane();
const send = senderTo(access);
let namespace = '';

beforeAll(async () => {
  namespace = await freshNamespace(access, 'crds');
  await policiesInForce(send, namespace);
});

const solapi = (fields: object): object => ({
  type: 'Solapi',
  solapi: { credentialsSecretRef: { name: 'account' }, ...fields },
});

const CASES: readonly {
  readonly why: string;
  readonly spec: object;
  readonly refused?: string;
}[] = [
  { why: 'an account at SOLAPI', spec: solapi({}) },
  {
    why: 'an account without credentials',
    spec: { type: 'Solapi', solapi: {} },
    refused: 'credentialsSecretRef: Required',
  },
  {
    why: 'the type Solapi without its member',
    spec: { type: 'Solapi' },
    refused: 'type Solapi and solapi need each other',
  },
  {
    why: 'the type Solapi with a second member',
    spec: { ...solapi({}), builtin: {} },
    refused: 'type Builtin and builtin need each other',
  },
  {
    why: 'every choice',
    spec: solapi({
      scheme: 'HMAC',
      algorithm: 'HMACMD5',
      dateFormat: 'Local',
      timeZone: 'Asia/Seoul',
      settleSeconds: 0,
      onExpiry: 'Delete',
      deleteGraceSeconds: 0,
    }),
  },
  { why: 'a gateway before it', spec: solapi({ endpoint: 'https://gw.example:8443/solapi/' }) },
  { why: 'a fake on this machine', spec: solapi({ endpoint: 'http://127.0.0.1:8080' }) },
  { why: 'a fake on this machine by IPv6', spec: solapi({ endpoint: 'http://[::1]:8080' }) },
  {
    why: 'an address without TLS',
    spec: solapi({ endpoint: 'http://solapi.com' }),
    refused: 'must begin with https:// unless it is this very machine',
  },
  {
    why: 'an address without TLS that looks like this machine',
    spec: solapi({ endpoint: 'http://127.0.0.1.example.com/' }),
    refused: 'must begin with https:// unless it is this very machine',
  },
  {
    why: 'an address with a user',
    spec: solapi({ endpoint: 'https://user@solapi.com/' }),
    refused: 'must be an address of scheme, host and perhaps a path',
  },
  {
    why: 'an address with a query',
    spec: solapi({ endpoint: 'https://solapi.com/?a=b' }),
    refused: 'must be an address of scheme, host and perhaps a path',
  },
  {
    why: 'a Secret without name',
    spec: solapi({ credentialsSecretRef: { name: '' } }),
    refused: 'credentialsSecretRef.name',
  },
  {
    why: 'an unknown scheme',
    spec: solapi({ scheme: 'Basic' }),
    refused: 'scheme: Unsupported value',
  },
  {
    why: 'an unknown hash',
    spec: solapi({ algorithm: 'HMACSHA1' }),
    refused: 'algorithm: Unsupported value',
  },
  {
    why: 'an unknown date',
    spec: solapi({ dateFormat: 'Unix' }),
    refused: 'dateFormat: Unsupported value',
  },
  { why: 'a zone for local dates', spec: solapi({ timeZone: 'Asia/Tokyo' }) },
  {
    why: 'a zone for dates in UTC',
    spec: solapi({ dateFormat: 'ISO8601', timeZone: 'Asia/Tokyo' }),
    refused: 'ISO8601 is always UTC',
  },
  {
    why: 'a zone for the dates of scheme HMAC',
    spec: solapi({ scheme: 'HMAC', timeZone: 'Asia/Tokyo' }),
    refused: 'ISO8601 is always UTC',
  },
  { why: 'a zone with blanks', spec: solapi({ timeZone: 'a b' }), refused: 'timeZone' },
  {
    why: 'a settle time over an hour',
    spec: solapi({ settleSeconds: 3601 }),
    refused: 'settleSeconds',
  },
  {
    why: 'an unknown end',
    spec: solapi({ onExpiry: 'Keep' }),
    refused: 'onExpiry: Unsupported value',
  },
  {
    why: 'a grace of more than 30 days',
    spec: solapi({ deleteGraceSeconds: 2_592_001 }),
    refused: 'deleteGraceSeconds',
  },
];

const pathOf = (kind: string): string =>
  kind === 'KeyStore' ? `${API}/namespaces/${namespace}/keystores` : `${API}/clusterkeystores`;

async function create(kind: string, spec: object): ReturnType<typeof send> {
  const metadata = { name: 'sample' };
  const body = { apiVersion: 'keyward.dev/v1alpha1', kind, metadata, spec };
  const path = `${pathOf(kind)}?dryRun=All&fieldValidation=Strict`;
  return await send({ method: 'POST', path, body });
}

describe.each(['KeyStore', 'ClusterKeyStore'])('a new %s', (kind) => {
  it.each(CASES)('$why: $refused', async ({ spec, refused }) => {
    expect(outcome(await create(kind, spec))).toEqual(expectedOutcome(refused));
  });
});

it('fills in the defaults of an account at SOLAPI', async () => {
  const { object } = await create('KeyStore', solapi({}));
  expect(object['spec']).toMatchObject({
    solapi: {
      endpoint: 'https://solapi.com',
      credentialsSecretRef: { name: 'account' },
      scheme: 'User',
      settleSeconds: 30,
      onExpiry: 'Disable',
      deleteGraceSeconds: 60,
    },
  });
});
