/**
 * Installs Keyward's kinds, policies and roles into a cluster, as its administrator would. Called by
 * the demo, the bench and the set-up of the tests.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from './access.ts';
import { waitForKinds, waitForPolicies } from './policyprobe.ts';

const ROOT = join(import.meta.dirname, '..');

/** Which of the two folders of policies to apply, as an old API server has no mutating ones; and whose. */
export type InstallOptions = {
  readonly mutatingPolicies?: 'apply' | 'leave out';
  /** Checkout whose manifests are installed; absent: this one. */
  readonly root?: string;
};

/**
 * Applies `crds/`, `deploy/rbac/`, `deploy/admission/` and `deploy/admission/mutating/` by
 * server-side apply, and waits until the kinds are served and all policies are in force. Repeatable;
 * a folder without manifests is passed over. Throws with kubectl's words.
 */
export async function installKeyward(access: Access, options: InstallOptions = {}): Promise<void> {
  const { root = ROOT } = options;
  const hasKinds = await applyFolder(access, join(root, 'crds'));
  if (hasKinds) {
    const established = ['--for=condition=Established', '--timeout=60s'];
    await access.mustKubectl(['wait', ...established, '-f', join(root, 'crds')]);
  }
  await applyFolder(access, join(root, 'deploy/rbac'));
  const hasPolicies = await applyFolder(access, join(root, 'deploy/admission'));
  const isMutating =
    options.mutatingPolicies !== 'leave out' &&
    (await applyFolder(access, join(root, 'deploy/admission/mutating')));
  if (hasPolicies) await waitForPolicies(access);
  if (hasKinds) await waitForKinds(access, isMutating ? 'stamped' : 'accepted');
}

/** Applies the manifests directly in the folder; false when there are none. */
async function applyFolder(access: Access, path: string): Promise<boolean> {
  const isThere = existsSync(path) && readdirSync(path).some((name) => /\.ya?ml$/.test(name));
  if (isThere) {
    await access.mustKubectl(['apply', '--server-side', '--force-conflicts', '-f', path]);
  }
  return isThere;
}
