/** Composition of the proof that the admission policies about forms and reviews are in force. */
import type { Deps } from '../controllers/apikey/deps.ts';
import type { Chain } from '../controllers/identity/chain.ts';
import { createProofMetrics } from '../controllers/identity/metrics.ts';
import type { ProofStore } from '../controllers/identity/proof.ts';
import { PolicyProver } from '../controllers/identity/prover.ts';
import { KeywardError } from '../kernel/errors.ts';
import type { Registry } from '../kernel/metrics.ts';
import type { ProofRecord } from '../ledger/documents.ts';
import type { Ledger } from '../ledger/port.ts';

/** UID and name of the one document. */
const POLICIES = 'policies';

type StoreDeps = Pick<Deps, 'clock' | 'clusterId' | 'epoch'> & {
  readonly ledger: Pick<Ledger, 'loadDocument' | 'commitDocuments'>;
};

/** The prover; `run` starts it, under leadership. */
export function createPolicyProver(parts: {
  readonly deps: StoreDeps & Pick<Deps, 'client' | 'log'>;
  readonly registry: Registry;
  /** The operator's own. */
  readonly namespace: string;
}): PolicyProver {
  const { deps, registry, namespace } = parts;
  const metrics = createProofMetrics(registry);
  return new PolicyProver({ ...deps, namespace, metrics, store: proofStore(deps) });
}

/** Keeps the chain in the ledger; its beginning and its end are audited. */
export function proofStore({ ledger, clock, clusterId, epoch }: StoreDeps): ProofStore {
  const read = (): Promise<ProofRecord | undefined> => ledger.loadDocument('Proof', POLICIES);
  return {
    async load() {
      const found = await read();
      if (found?.phase !== 'Live') return undefined;
      const { sinceMs, lastMs, fingerprint } = found;
      return { sinceMs, lastMs, fingerprint };
    },
    async save(chain, reason) {
      const found = await read();
      const expectedRevision = found?.revision ?? 0;
      const head = {
        clusterId,
        uid: POLICIES,
        namespace: '',
        name: POLICIES,
        revision: 0,
      } as const;
      const result = await ledger.commitDocuments({
        changes: [{ kind: 'Proof', document: { ...head, ...bodyOf(chain) }, expectedRevision }],
        epoch: epoch(),
        audit: {
          action: chain === undefined ? 'PoliciesNotProven' : 'PoliciesProven',
          actor: 'operator',
          atMs: clock.nowMs(),
          facts: chain === undefined ? { reason } : { sinceMs: chain.sinceMs },
        },
      });
      if (result.type === 'Stale') throw stale();
    },
  };
}

function bodyOf(
  chain: Chain | undefined,
): Pick<ProofRecord, 'phase' | 'sinceMs' | 'lastMs' | 'fingerprint'> {
  return chain === undefined
    ? { phase: 'Ended', sinceMs: 0, lastMs: 0, fingerprint: '' }
    : { phase: 'Live', ...chain };
}

function stale(): KeywardError {
  return new KeywardError('Conflict', {
    reason: 'Conflict',
    message: 'the proof of the admission policies was changed by somebody else',
  });
}
