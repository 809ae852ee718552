/** The shared control plane, as integration and CRD suites see it. */
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { accessTo, type Access } from '../../control-plane/access.ts';
import type {} from './controlplane.setup.ts';

/**
 * The control plane that all suites of this run share. Suites that kill or freeze the API server,
 * or need another version or an audit log, start their own with `startControlPlane` and stop it.
 */
export function sharedControlPlane(): Access {
  return accessTo(inject('controlPlane'));
}

/**
 * Creates a namespace that nobody else uses and returns its name, which begins with `prefix`. It is
 * not deleted: it goes with the control plane, and a failed test leaves something to look at.
 */
export async function freshNamespace(access: Access, prefix = 'test'): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await access.mustKubectl(['create', 'namespace', name]);
  return name;
}

/** Applies manifests given as data, in order, by server-side apply; returns kubectl's output. */
export function applyObjects(access: Access, objects: readonly object[]): Promise<string> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  return access.mustKubectl(['apply', '--server-side', '-f', '-'], {
    input: JSON.stringify(list),
  });
}

/** The object as kubectl prints it, or undefined when it does not exist. `kind` as in kubectl. */
export async function readObject(
  access: Access,
  kind: string,
  namespace: string,
  name: string,
): Promise<unknown> {
  const where = namespace === '' ? [] : ['-n', namespace];
  const args = ['get', kind, name, ...where, '-o', 'json', '--ignore-not-found'];
  const text = await access.mustKubectl(args);
  return text === '' ? undefined : JSON.parse(text);
}
