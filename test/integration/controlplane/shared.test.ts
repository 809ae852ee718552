/** The harness itself: what every other integration suite relies on. */
import { describe, expect, test } from 'vitest';
import {
  applyObjects,
  freshNamespace,
  readObject,
  sharedControlPlane,
} from '../../support/controlplane.ts';

describe('the shared control plane', () => {
  const access = sharedControlPlane();

  test('a service account has a kubeconfig of its own and no rights beyond those it is given', async () => {
    const namespace = await freshNamespace(access, 'harness');
    const kubeconfig = await access.kubeconfigFor(namespace, 'operator');
    const whoAmI = await access.mustKubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig });
    expect(JSON.parse(whoAmI)).toMatchObject({
      status: { userInfo: { username: `system:serviceaccount:${namespace}:operator` } },
    });
    const denied = await access.kubectl(['get', 'secrets'], { kubeconfig });
    expect(denied).toMatchObject({ code: 1, stderr: expect.stringContaining('Forbidden') });
  });

  test('objects are applied as data and read back; what is absent is undefined', async () => {
    const namespace = await freshNamespace(access, 'harness');
    const metadata = { name: 'settings', namespace };
    await applyObjects(access, [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { color: 'green' } },
    ]);
    const read = await readObject(access, 'configmap', namespace, 'settings');
    expect(read).toMatchObject({ data: { color: 'green' } });
    expect(await readObject(access, 'configmap', namespace, 'other')).toBeUndefined();
  });
});
