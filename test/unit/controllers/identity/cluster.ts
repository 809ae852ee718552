/** An API server that has the two policies, or not, and a prover that looks at it. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { KubeObject, Ref, Resource } from '../../../../src/api/meta.ts';
import { ADMISSION_POLICIES } from '../../../../src/api/names.ts';
import type { Chain } from '../../../../src/controllers/identity/chain.ts';
import type { ProofState } from '../../../../src/controllers/identity/proof.ts';
import { PolicyProver } from '../../../../src/controllers/identity/prover.ts';
import { KeywardError } from '../../../../src/kernel/errors.ts';
import { silentLogger } from '../../../../src/kernel/log.ts';
import type { CreateOptions, Draft, Written } from '../../../../src/kube/port.ts';
import { FakeClock, settle } from '../../../support/clock.ts';

/** A policy as the API server shows it. */
export function aPolicy(plural: string, spec: object = {}, constraints: object = {}): KubeObject {
  const rule = {
    apiGroups: ['keyward.dev'],
    apiVersions: ['*'],
    resources: [plural],
    operations: ['CREATE', 'UPDATE'],
    scope: '*',
  };
  const matchConstraints = {
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    resourceRules: [rule],
    ...constraints,
  };
  const metadata = { name: '', uid: `policy-${plural}`, resourceVersion: '1', generation: 1 };
  const whole = { failurePolicy: 'Fail', matchConstraints, ...shippedRules(plural), ...spec };
  return { metadata, spec: whole } as KubeObject;
}

/** Variables and validations of the policy in deploy/admission that is about these objects. */
export function shippedRules(plural: string): { variables: object[]; validations: object[] } {
  const file = `deploy/admission/${plural.replace('apikey', '')}.yaml`;
  const [policy] = parseAllDocuments(readFileSync(file, 'utf8'));
  const { variables, validations } = policy?.toJS().spec ?? {};
  return { variables, validations };
}

/** A binding as the API server shows it. */
export function aBinding(name: string, spec: object = {}): KubeObject {
  const metadata = { name, uid: `binding-${name}`, resourceVersion: '1', generation: 1 };
  return {
    metadata,
    spec: { policyName: name, validationActions: ['Deny'], ...spec },
  } as KubeObject;
}

/** How the API server answers a forgery. */
export type Answer = 'Refuse' | 'Accept' | KeywardError;

/** As the client words a refusal by this policy. */
export function refusal(policy: string): KeywardError {
  return new KeywardError('Terminal', {
    reason: 'Forbidden',
    message: `cannot create it: the API server answered 403: it is forbidden: ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: no`,
  });
}

/** See the file comment. */
export class Stage {
  readonly clock = new FakeClock(Date.UTC(2026, 0, 1));
  readonly objects = new Map<string, KubeObject>();
  readonly sent: { readonly draft: Draft; readonly dryRun: boolean }[] = [];
  readonly states: ProofState['state'][] = [];
  readonly metrics: ProofState['state'][] = [];
  readonly client = {
    clockSkewMs: 0,
    get: (resource: Resource, ref: Ref) => this.#get(resource, ref),
    create: (_: Resource, draft: Draft, options?: CreateOptions) => this.#create(draft, options),
  };
  kept: Chain | undefined;
  readonly saves: (Chain | undefined)[] = [];
  storeFailure: KeywardError | undefined;
  readFailure: KeywardError | undefined;
  answer: (draft: Draft) => Answer = () => 'Refuse';
  /** What a look waits for before it asks anything. */
  gate: Promise<void> = Promise.resolve();
  prover: PolicyProver;
  #end = new AbortController();

  constructor() {
    this.install('keyward-applications', 'apikeyapplications');
    this.install('keyward-reviews', 'apikeyreviews');
    this.prover = this.makeProver();
  }

  install(name: string, plural: string): void {
    this.objects.set(`policy/${name}`, aPolicy(plural));
    this.objects.set(`binding/${name}`, aBinding(name));
  }

  /** As if somebody had edited it. */
  touch(at: string): void {
    const object = this.objects.get(at);
    if (object === undefined) throw new Error(`no ${at}`);
    const generation = (object.metadata.generation ?? 0) + 1;
    this.objects.set(at, { ...object, metadata: { ...object.metadata, generation } });
  }

  makeProver(): PolicyProver {
    const prover = new PolicyProver({
      client: this.client,
      namespace: 'keyward-system',
      store: {
        load: async () => {
          if (this.storeFailure !== undefined) throw this.storeFailure;
          return this.kept;
        },
        save: async (chain) => {
          if (this.storeFailure !== undefined) throw this.storeFailure;
          this.kept = chain;
          this.saves.push(chain);
        },
      },
      clock: this.clock,
      metrics: { state: (state) => this.metrics.push(state) },
      log: silentLogger,
    });
    prover.onChange(({ state }) => this.states.push(state));
    return prover;
  }

  /** Leads, and lets the first look and the settling pass. */
  async lead(): Promise<void> {
    this.start();
    await this.clock.advanceSettled(6_000);
  }

  start(): void {
    void this.prover.run(this.#end.signal);
  }

  /** Another process leads from here on. */
  async restart(): Promise<void> {
    this.end();
    await settle();
    this.#end = new AbortController();
    this.prover = this.makeProver();
    this.start();
    await settle();
  }

  end(): void {
    this.#end.abort();
  }

  get reason(): string {
    const { state } = this.prover;
    return state.state === 'Proven' ? '' : state.reason;
  }

  async #get(resource: Resource, { name }: Ref): Promise<KubeObject | undefined> {
    await this.gate;
    if (this.readFailure !== undefined) throw this.readFailure;
    const kind = resource === ADMISSION_POLICIES ? 'policy' : 'binding';
    return this.objects.get(`${kind}/${name}`);
  }

  async #create(draft: Draft, options: CreateOptions | undefined): Promise<Written> {
    this.sent.push({ draft, dryRun: options?.dryRun === true });
    const answer = this.answer(draft);
    if (answer === 'Accept') return { name: draft.metadata.name, uid: 'u', resourceVersion: '' };
    if (answer !== 'Refuse') throw answer;
    throw refusal(draft.kind === 'ApiKeyReview' ? 'keyward-reviews' : 'keyward-applications');
  }
}
