/**
 * The proof that the admission policies are in force, as an earlier operator would have left it in the
 * ledger: without it each plan would begin with seconds of waiting.
 */
import { proofStore } from '../../src/bin/identity.ts';
import { extend, type Chain } from '../../src/controllers/identity/chain.ts';
import { examine } from '../../src/controllers/identity/examine.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLogger } from '../../src/kernel/log.ts';
import { openAccess } from '../../src/kube/auth.ts';
import { createClients } from '../../src/kube/client.ts';
import { Transport } from '../../src/kube/transport.ts';
import { NAMESPACES } from '../../src/api/names.ts';
import { openLedger } from '../../src/ledger/open.ts';
import type { Site } from './site.ts';

const OWN_NAMESPACE = 'keyward-system';
/** Names the one who was there before. */
const EARLIER = 'earlier';

/** Looks at the policies of a cluster, as its operator does. */
export async function provePolicies(kubeconfig: string): Promise<Chain> {
  const source = { kind: 'Kubeconfig', file: kubeconfig } as const;
  const access = await openAccess({ clock: systemClock, log: silentLogger, source });
  const transport = new Transport({ access, clock: systemClock, version: 'test' });
  try {
    const client = createClients({ transport, clock: systemClock }).ordinary;
    const beganMs = systemClock.nowMs();
    const examined = { client, namespace: OWN_NAMESPACE };
    const finding = await examine(examined, AbortSignal.timeout(10_000));
    if (finding.type !== 'Proven') throw new Error(`policies are not proven: ${finding.reason}`);
    const { fingerprint } = finding;
    return extend(undefined, { beganMs, endedMs: systemClock.nowMs(), fingerprint });
  } finally {
    transport.close();
  }
}

/** Makes the ledger of a site, with the proof in it. */
export async function plantProof({ api, database }: Site, chain: Chain): Promise<void> {
  const system = await api.get(NAMESPACES, '', 'kube-system');
  const clusterId = system?.metadata.uid ?? '';
  const ledger = await openLedger({ url: database, missing: 'Create' });
  try {
    await ledger.adoptCluster(clusterId);
    const { epoch } = await ledger.identity();
    const mine = epoch + 1;
    await ledger.openEpoch(mine, EARLIER);
    const store = proofStore({ ledger, clock: systemClock, clusterId, epoch: () => mine });
    await store.save(chain, '');
  } finally {
    await ledger.close();
  }
}
