/** Sets up what a case works with, and takes it down again. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { systemClock } from '../src/kernel/clock.ts';
import { Sensitive } from '../src/kernel/sensitive.ts';
import type { RemoteHandle, VendorHttp } from '../src/stores/contract.ts';
import type { KitClock, Site, Subject } from './subject.ts';

/** The driver's settings for a vendor at that address. Makes no traffic. */
export function openHandle(subject: Subject, address: string): RemoteHandle {
  const handle = subject.driver.open(subject.member(address));
  if ('problem' in handle) assert.fail(`open refused its own member: ${handle.problem}`);
  if (handle.type === 'Local') assert.fail('a store of class Local has cases of its own');
  return handle;
}

/** Runs one case on a fresh fake. */
export async function onSite(subject: Subject, run: (site: Site) => Promise<void>): Promise<void> {
  const clock = kitClock();
  const running = await subject.start(clock, randomBytes);
  const { fake } = running;
  const handle = openHandle(subject, fake.address);
  const http = subject.http(handle.endpoint, clock);
  const answers: string[] = [];
  const connect: Site['connect'] = (credentials) =>
    handle.connect({
      http: recording(http, answers),
      credentials: Object.fromEntries(
        Object.entries(credentials).map(([entry, value]) => [entry, new Sensitive(value)]),
      ),
      clock,
      entropy: randomBytes,
    });
  const [account] = fake.accounts;
  assert.ok(account, 'the fake has no account');
  try {
    const store = connect(account.credentials);
    await run({ subject, fake, clock, handle, store, answers, connect });
  } finally {
    fake.clear();
    http.close();
    await running.stop();
  }
}

function recording(http: VendorHttp, answers: string[]): VendorHttp {
  return {
    async send(request, signal) {
      const answer = await http.send(request, signal);
      answers.push(answer.body);
      return answer;
    },
  };
}

function kitClock(): KitClock {
  let aheadMs = 0;
  return {
    nowMs: () => systemClock.nowMs() + aheadMs,
    monotonicMs: () => systemClock.monotonicMs(),
    after: (delayMs, act) => systemClock.after(delayMs, act),
    pass(ms) {
      aheadMs += ms;
    },
  };
}
