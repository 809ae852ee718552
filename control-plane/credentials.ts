/** The files of one control plane that say who is who: authority, certificates, token key. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, issue, type Issued, type Subject } from './certificates.ts';
import { kubeconfigText } from './kubeconfig.ts';

/** Paths of the files that `writeCredentials` wrote. */
export type Credentials = {
  readonly caFile: string;
  readonly serverCertificateFile: string;
  readonly serverKeyFile: string;
  readonly tokenKeyFile: string;
  readonly tokenPublicKeyFile: string;
  readonly auditPolicyFile: string;
  /** Kubeconfig with a client certificate in `system:masters`: exempt from RBAC and from fairness. */
  readonly adminKubeconfig: string;
};

/** Common name of the authority. */
const AUTHORITY = 'keyward-control-plane';
/** File in the work folder with the authority's private key. */
const AUTHORITY_KEY = 'ca.key';

/** One line per request, answered or begun streaming, without bodies. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
`;

/** Makes fresh credentials for the API server at `url` and writes them into `workDir`. */
export async function writeCredentials(
  workDir: string,
  url: string,
  nowMs: number,
): Promise<Credentials> {
  const authority = createAuthority(AUTHORITY, nowMs);
  const server = issue(
    authority,
    {
      commonName: 'kube-apiserver',
      usage: 'server',
      dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      addresses: ['127.0.0.1', '10.0.0.1'],
    },
    nowMs,
  );
  const admin = issue(
    authority,
    { commonName: 'keyward-admin', organizations: ['system:masters'], usage: 'client' },
    nowMs,
  );
  const token = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const put = async (name: string, text: string | Buffer): Promise<string> => {
    const path = join(workDir, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  // For tests that need a user whom no header can name.
  await put(AUTHORITY_KEY, authority.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return {
    caFile: await put('ca.crt', authority.certificatePem),
    serverCertificateFile: await put('server.crt', server.certificatePem),
    serverKeyFile: await put('server.key', server.privateKeyPem),
    tokenKeyFile: await put('token.key', token.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    tokenPublicKeyFile: await put(
      'token.pub',
      token.publicKey.export({ type: 'spki', format: 'pem' }),
    ),
    auditPolicyFile: await put('audit-policy.yaml', AUDIT_POLICY),
    adminKubeconfig: await put(
      'admin.kubeconfig',
      kubeconfigText({ url, caPem: authority.certificatePem, certificate: admin }),
    ),
  };
}

/** A client certificate of the control plane in `workDir`, for whoever is wanted. */
export async function clientCertificate(
  workDir: string,
  subject: Subject,
  nowMs: number,
): Promise<Issued> {
  const privateKey = createPrivateKey(await readFile(join(workDir, AUTHORITY_KEY)));
  const authority = {
    certificatePem: '',
    subject: { commonName: AUTHORITY },
    privateKey,
    publicKey: createPublicKey(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
  return issue(authority, { ...subject, usage: 'client' }, nowMs);
}
