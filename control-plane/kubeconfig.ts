/** Kubeconfig files with everything inside, so that one path is all a program needs. */
import { stringify } from 'yaml';
import type { Issued } from './certificates.ts';

/** A cluster and one way to prove who one is there: a token or a client certificate. */
export type KubeconfigContent = {
  readonly url: string;
  readonly caPem: string;
  readonly token?: string;
  readonly certificate?: Issued;
  /** Namespace of the context; absent means `default`. */
  readonly namespace?: string;
};

/** The kubeconfig as YAML; its only context is called `keyward`. */
export function kubeconfigText(content: KubeconfigContent): string {
  const { token, certificate, namespace } = content;
  const user = {
    ...(token === undefined ? {} : { token }),
    ...(certificate === undefined
      ? {}
      : {
          'client-certificate-data': base64(certificate.certificatePem),
          'client-key-data': base64(certificate.privateKeyPem),
        }),
  };
  const cluster = { server: content.url, 'certificate-authority-data': base64(content.caPem) };
  const context = { cluster: 'keyward', user: 'keyward', ...(namespace && { namespace }) };
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'keyward',
      clusters: [{ name: 'keyward', cluster }],
      users: [{ name: 'keyward', user }],
      contexts: [{ name: 'keyward', context }],
    },
    { lineWidth: 0 },
  );
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
