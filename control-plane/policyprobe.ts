/**
 * Waiting for admission policies. The API server takes them up a second or two after they were
 * created and says nowhere when; until then objects pass unchecked, or are refused because the
 * policies do not know a new kind yet.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Access } from './access.ts';

const LOOK_AGAIN_MS = 100;
const TIMEOUT_MS = 60_000;

/**
 * Waits until every validating policy that exists now is in force. Policies are taken up together,
 * so a policy of our own that is created last, and is seen to refuse something, speaks for all.
 */
export async function waitForPolicies(access: Access): Promise<void> {
  const name = `probe-${randomBytes(4).toString('hex')}`;
  const probe = JSON.stringify(probePolicy(name));
  const refused = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } };
  await access.mustKubectl(['create', '-f', '-'], { input: probe });
  try {
    await until('the validating policies', async () => {
      const { code, stderr } = await tryCreate(access, refused);
      return code !== 0 && stderr.includes(name);
    });
  } finally {
    await access.mustKubectl(['delete', '--wait=false', '-f', '-'], { input: probe });
  }
}

/**
 * Waits until an ApiKey can be created.
 *
 * @param sign `stamped`: the mutating policy has put its finalizer on; `accepted`: there is none
 */
export async function waitForKinds(access: Access, sign: 'stamped' | 'accepted'): Promise<void> {
  const metadata = { name: 'probe', namespace: 'default' };
  const apiKey = { apiVersion: 'keyward.dev/v1alpha1', kind: 'ApiKey', metadata, spec: {} };
  await until('a new ApiKey', async () => {
    const { code, stdout } = await tryCreate(access, apiKey);
    return code === 0 && (sign === 'accepted' || stdout.includes('"finalizers"'));
  });
}

function tryCreate(access: Access, object: object): ReturnType<Access['kubectl']> {
  return access.kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], {
    input: JSON.stringify(object),
  });
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + TIMEOUT_MS;
  while (!(await isSo())) {
    if (performance.now() > endMs) {
      throw new Error(`the API server did not take up ${what} in ${TIMEOUT_MS / 1_000} s`);
    }
    await pause(LOOK_AGAIN_MS);
  }
}

function probePolicy(name: string): object {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] };
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            resourceRules: [{ ...rule, operations: ['CREATE'], resourceNames: [name] }],
          },
          validations: [{ expression: `object.metadata.name != '${name}'` }],
        },
      },
      {
        apiVersion,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name },
        spec: { policyName: name, validationActions: ['Deny'] },
      },
    ],
  };
}
