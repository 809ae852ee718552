/**
 * Starts one control plane for all suites of a vitest run that need one, and installs what a cluster
 * with Keyward has: the kinds and the admission policies. With KEYWARD_TEST_CONTROL_PLANE, the path
 * of a state file that `node control-plane/cli.ts up --state FILE` wrote, that one is used instead.
 */
import type { TestProject } from 'vitest/node';
import { accessTo, type Endpoint } from '../../control-plane/access.ts';
import { startControlPlane, type ControlPlane } from '../../control-plane/start.ts';
import { readState } from '../../control-plane/state.ts';
import { installKeyward } from '../../control-plane/install.ts';

declare module 'vitest' {
  interface ProvidedContext {
    controlPlane: Endpoint;
  }
}

type Shared = { users: number; readonly controlPlane: Promise<ControlPlane> };

declare global {
  /** Each project loads this file anew; only the global object is common to them. */
  var keywardControlPlane: Shared | undefined;
}

/** Provides `controlPlane` to the project's tests. */
export async function setup(project: TestProject): Promise<void> {
  const stateFile = process.env['KEYWARD_TEST_CONTROL_PLANE'] || undefined;
  const { url, caFile, adminKubeconfig, workDir, kubectlPath } =
    stateFile === undefined ? await sharedStart() : await attached(stateFile);
  project.provide('controlPlane', { url, caFile, adminKubeconfig, workDir, kubectlPath });
}

/** Ends the control plane when the last project is done with it. */
export async function teardown(): Promise<void> {
  const shared = globalThis.keywardControlPlane;
  if (shared === undefined) return;
  shared.users -= 1;
  if (shared.users > 0) return;
  globalThis.keywardControlPlane = undefined;
  await (await shared.controlPlane).stop();
}

async function attached(stateFile: string): Promise<Endpoint> {
  const state = await readState(stateFile);
  await installKeyward(accessTo(state));
  return state;
}

function sharedStart(): Promise<Endpoint> {
  globalThis.keywardControlPlane ??= { users: 0, controlPlane: startWithKeyward() };
  globalThis.keywardControlPlane.users += 1;
  return globalThis.keywardControlPlane.controlPlane;
}

async function startWithKeyward(): Promise<ControlPlane> {
  const controlPlane = await startControlPlane();
  try {
    await installKeyward(controlPlane);
    return controlPlane;
  } catch (err) {
    await controlPlane.stop();
    throw err;
  }
}
