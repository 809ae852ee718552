/** How the API server is found. */
import { environment } from './environment.ts';
import type { Values } from './layers.ts';

/** How the API server is found. */
export type ClusterConfig = {
  /** A kubeconfig file; absent: the service account of the pod. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** KUBERNETES_SERVICE_HOST and _PORT, for the in-cluster way. */
  readonly inClusterHost: string | undefined;
  readonly inClusterPort: number;
};

/** Which API server to talk to. */
export function clusterConfig(values: Pick<Values, 'text'>): ClusterConfig {
  return { kubeconfig: values.text('kubeconfig'), context: values.text('context'), ...inCluster() };
}

/** Where a pod finds the API server; no host: this is no pod. */
export function inCluster(): Pick<ClusterConfig, 'inClusterHost' | 'inClusterPort'> {
  const { KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = environment();
  return {
    inClusterHost: KUBERNETES_SERVICE_HOST,
    inClusterPort: Number(KUBERNETES_SERVICE_PORT ?? 443),
  };
}
