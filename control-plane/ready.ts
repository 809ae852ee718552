/** Waiting until a control plane serves. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { Access } from './access.ts';

const LOOK_AGAIN_MS = 100;

/** How long a start may take before it is given up; a busy machine needs ten times the usual 5 s. */
export const READY_TIMEOUT_MS = 90_000;

/** Called between looks; throws when waiting has become pointless. */
export type StillAlive = () => Promise<void>;

/** Waits until `/readyz` answers 200. */
export async function waitForReady(access: Access, stillAlive: StillAlive): Promise<void> {
  const ca = await readFile(access.caFile);
  const url = `${access.url}/readyz`;
  await poll('/readyz', stillAlive, async () => (await statusOf(url, ca)) === 200);
}

/** Waits for the service account that every pod needs; the controller manager makes it. */
export async function waitForDefaultAccount(access: Access, stillAlive: StillAlive): Promise<void> {
  const args = ['get', 'serviceaccount', 'default', '-n', 'default', '-o', 'name'];
  await poll('the default service account', stillAlive, async () => {
    return (await access.kubectl(args)).code === 0;
  });
}

async function poll(
  what: string,
  stillAlive: StillAlive,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await isDone())) {
    await stillAlive();
    if (performance.now() > endMs) {
      throw new Error(`the control plane did not show ${what} in ${READY_TIMEOUT_MS / 1_000} s`);
    }
    await pause(LOOK_AGAIN_MS);
  }
}

/** Status code, or 0 when nobody answers. `/readyz` is open to everybody. */
function statusOf(url: string, ca: Buffer): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const call = request(url, { ca, agent: false, timeout: 2_000 }, (res) => {
    res.resume();
    resolve(res.statusCode ?? 0);
  });
  call.once('timeout', () => call.destroy());
  call.once('error', () => resolve(0));
  call.end();
  return promise;
}
