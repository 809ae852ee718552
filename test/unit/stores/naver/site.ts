/** The driver connected to its fake over HTTP, for tests. */
import { randomBytes } from 'node:crypto';
import { NaverFake, OUR_TENANT } from '../../../../fakes/naver/fake.ts';
import type { NaverQuirks } from '../../../../fakes/naver/keys.ts';
import { kitHttp } from '../../../../kit/http.ts';
import { systemClock, type Clock } from '../../../../src/kernel/clock.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';
import type {
  NewCredential,
  RemoteHandle,
  RemoteStore,
  VendorRequest,
} from '../../../../src/stores/contract.ts';
import type { Mark } from '../../../../src/stores/mark.ts';
import { naverDriver } from '../../../../src/stores/naver/driver.ts';

/** The wall stands still here, so that limits of time can be met exactly; timers run. */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const clock: Clock = { ...systemClock, nowMs: () => NOW_MS };

/** Never aborted. */
export const GOING_ON = new AbortController().signal;

/** All of one test; `await using` takes it down. */
export type NaverSite = AsyncDisposable & {
  readonly fake: NaverFake;
  readonly handle: RemoteHandle;
  readonly store: RemoteStore;
  /** What the driver sent, in order. */
  readonly sent: readonly VendorRequest[];
  /** The same store with other credentials. */
  connect(credentials: Readonly<Record<string, string>>): RemoteStore;
};

/** Opens `spec.naver` with these members; `credentialsSecretRef` is there already. */
export function openNaver(member: Readonly<Record<string, unknown>> = {}): RemoteHandle {
  const handle = naverDriver.open({ credentialsSecretRef: { name: 'account' }, ...member });
  if ('problem' in handle) throw new Error(handle.problem);
  if (handle.type !== 'Remote') throw new Error('not a remote store');
  return handle;
}

/** A fresh fake and a store that is connected to its first account. */
export async function naverSite(
  quirks: Partial<NaverQuirks> = {},
  member: Readonly<Record<string, unknown>> = { tenantId: OUR_TENANT },
): Promise<NaverSite> {
  const fake = await new NaverFake({ clock, quirks }).start();
  const handle = openNaver({ endpoint: `${fake.address}/api/v1`, ...member });
  const http = kitHttp(handle.endpoint, clock);
  const sent: VendorRequest[] = [];
  const connect: NaverSite['connect'] = (credentials) =>
    handle.connect({
      http: {
        send(request, signal) {
          sent.push(request);
          return http.send(request, signal);
        },
      },
      credentials: Object.fromEntries(
        Object.entries(credentials).map(([entry, value]) => [entry, new Sensitive(value)]),
      ),
      clock,
      entropy: randomBytes,
    });
  return {
    fake,
    handle,
    sent,
    connect,
    store: connect(fake.accounts[0]?.credentials ?? {}),
    async [Symbol.asyncDispose]() {
      http.close();
      await fake.stop();
    },
  };
}

/** What the protocol asks a create call for. */
export function wanted(mark: Mark = aMark()): NewCredential {
  return { mark, format: 'Dual', name: 'ignored', description: 'at first' };
}

/** A mark that no other test has. */
export function aMark(): Mark {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  const token = [...randomBytes(26)].map((byte) => letters[byte % letters.length]).join('');
  return { cluster: '0123456789', token, attempt: 1 };
}
