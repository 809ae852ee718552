/** Good and bad ApiKey specs apart from their terms, one for every rule of the schema. */

/** One spec and what becomes of it. */
export type SpecCase = {
  readonly why: string;
  readonly spec: unknown;
  /** Part of the refusal; absent: accepted. */
  readonly refused?: string;
};

const secret = (fields: object): object => ({ secret: fields });
const rotation = (fields: object): object => ({ rotation: fields });
const GRANT_DECIDES = 'with applicationRef the approved application decides';
const RESERVED = 'names under kubernetes.io, k8s.io, keyward.dev';
const applicationRef = { name: 'form' };
const storeRef = { kind: 'KeyStore', name: 'own' };

/** The fields of spec and of rotation. */
export const SPEC_CASES: readonly SpecCase[] = [
  { why: 'nothing at all', spec: {} },
  { why: 'no spec', spec: undefined },
  {
    why: 'a key on application',
    spec: { applicationRef, rotation: { requestId: 'a' }, secret: { name: 'other' } },
  },
  { why: 'application and store', spec: { applicationRef, storeRef }, refused: GRANT_DECIDES },
  {
    why: 'application and format',
    spec: { applicationRef, format: 'Dual' },
    refused: GRANT_DECIDES,
  },
  { why: 'application and terms', spec: { applicationRef, terms: {} }, refused: GRANT_DECIDES },
  {
    why: 'application and name',
    spec: { applicationRef, displayName: 'x' },
    refused: GRANT_DECIDES,
  },
  {
    why: 'application and description',
    spec: { applicationRef, description: '' },
    refused: GRANT_DECIDES,
  },
  {
    why: 'application and client',
    spec: { applicationRef, clientRef: { name: 'c' } },
    refused: GRANT_DECIDES,
  },
  {
    why: 'application and Retain',
    spec: { applicationRef, deletionPolicy: 'Retain' },
    refused: 'Retain is not possible',
  },
  { why: 'an application without a name', spec: { applicationRef: {} }, refused: 'name: Required' },
  { why: 'displayName of 255 Korean characters', spec: { displayName: '가'.repeat(255) } },
  { why: 'displayName of 255 emoji', spec: { displayName: '😀'.repeat(255) } },
  {
    why: 'displayName of 256 characters',
    spec: { displayName: 'a'.repeat(256) },
    refused: 'may not be more than 255',
  },
  {
    why: 'displayName of 256 emoji',
    spec: { displayName: '😀'.repeat(256) },
    refused: 'may not be more than 255',
  },
  { why: 'an empty displayName', spec: { displayName: '' }, refused: 'displayName' },
  { why: 'a displayName of two lines', spec: { displayName: 'a\nb' }, refused: 'displayName' },
  {
    why: 'a description of 501 characters',
    spec: { description: 'a'.repeat(501) },
    refused: 'may not be more than 500',
  },
  {
    why: 'a store of unknown kind',
    spec: { storeRef: { kind: 'Vault', name: 'x' } },
    refused: 'storeRef.kind: Unsupported value',
  },
  { why: 'a store without a kind', spec: { storeRef: { name: 'x' } }, refused: 'kind: Required' },
  {
    why: 'a store with a name that cannot exist',
    spec: { storeRef: { kind: 'KeyStore', name: 'A_B' } },
    refused: 'storeRef.name',
  },
  { why: 'an unknown format', spec: { format: 'Triple' }, refused: 'format: Unsupported value' },
  { why: 'an unknown state', spec: { state: 'Paused' }, refused: 'state: Unsupported value' },
  {
    why: 'an unknown deletionPolicy',
    spec: { deletionPolicy: 'Orphan' },
    refused: 'deletionPolicy: Unsupported value',
  },
  { why: 'a slot where the store decides the format', spec: rotation({ slot: 'Primary' }) },
  {
    why: 'a slot of a key with two values',
    spec: { format: 'Dual', ...rotation({ slot: 'Secondary' }) },
  },
  {
    why: 'a slot of a key with one value',
    spec: { format: 'Opaque', ...rotation({ slot: 'Primary' }) },
    refused: 'rotation.slot needs format Dual',
  },
  {
    why: 'a requestId of 65 characters',
    spec: rotation({ requestId: 'a'.repeat(65) }),
    refused: 'may not be more than 64',
  },
  {
    why: 'a requestId like that of an approved reissue',
    spec: rotation({ requestId: 'reissue/2/0a-1b' }),
    refused: 'ids that begin with reissue/ are those of approved reissues',
  },
  { why: 'an empty requestId', spec: rotation({ requestId: '' }), refused: 'requestId' },
  { why: 'no overlap at all', spec: rotation({ overlapSeconds: 0 }) },
  {
    why: 'an overlap of 31 days',
    spec: rotation({ overlapSeconds: 2592001 }),
    refused: 'overlapSeconds',
  },
  { why: 'a negative overlap', spec: rotation({ overlapSeconds: -1 }), refused: 'overlapSeconds' },
  { why: 'an age of no days', spec: rotation({ maxAgeDays: 0 }), refused: 'maxAgeDays' },
  { why: 'an age over ten years', spec: rotation({ maxAgeDays: 3651 }), refused: 'maxAgeDays' },
  {
    why: 'an unknown urgency',
    spec: rotation({ urgency: 'Now' }),
    refused: 'urgency: Unsupported value',
  },
  {
    why: 'a workload twice',
    spec: rotation({
      restartTargets: [
        { kind: 'Deployment', name: 'a' },
        { kind: 'Deployment', name: 'a' },
      ],
    }),
    refused: 'a workload is listed twice',
  },
  {
    why: 'one name, two kinds of workload',
    spec: rotation({
      restartTargets: [
        { kind: 'Deployment', name: 'a' },
        { kind: 'StatefulSet', name: 'a' },
      ],
    }),
  },
  {
    why: 'a workload that cannot be restarted',
    spec: rotation({ restartTargets: [{ kind: 'Pod', name: 'a' }] }),
    refused: 'kind: Unsupported value',
  },
];

/** The fields of spec.secret. */
export const SECRET_CASES: readonly SpecCase[] = [
  { why: 'an empty secret takes the defaults', spec: secret({}) },
  {
    why: 'a template',
    spec: secret({ layout: 'Template', template: { 'app.ini': 'key={{ .apiKey }}' } }),
  },
  {
    why: 'layout Template without a template',
    spec: secret({ layout: 'Template' }),
    refused: 'template and layout Template need each other',
  },
  {
    why: 'a template with another layout',
    spec: secret({ template: { a: 'b' } }),
    refused: 'template and layout Template need each other',
  },
  {
    why: 'an empty template',
    spec: secret({ layout: 'Template', template: {} }),
    refused: 'at least 1 properties',
  },
  {
    why: '33 template entries',
    spec: secret({ layout: 'Template', template: entries(33) }),
    refused: 'at most 32',
  },
  {
    why: 'a template entry that no Secret can have',
    spec: secret({ layout: 'Template', template: { 'a/b': 'c' } }),
    refused: "a template entry's name",
  },
  { why: 'envPrefix with layout Env', spec: secret({ layout: 'Env', envPrefix: 'PAY_' }) },
  {
    why: 'envPrefix without layout Env',
    spec: secret({ envPrefix: 'PAY_' }),
    refused: 'envPrefix needs layout Env',
  },
  {
    why: 'envPrefix in lower case',
    spec: secret({ layout: 'Env', envPrefix: 'pay_' }),
    refused: 'envPrefix',
  },
  {
    why: 'a type that means something to Kubernetes',
    spec: secret({ type: 'kubernetes.io/service-account-token' }),
    refused: 'type: Unsupported value',
  },
  {
    why: 'a Secret name that cannot exist',
    spec: secret({ name: 'Has_Upper' }),
    refused: 'secret.name',
  },
  {
    why: 'own labels and annotations',
    spec: secret({
      labels: { team: 'a', 'example.com/tier': '' },
      annotations: { 'reloader.example.com/match': 'true', note: '메모' },
    }),
  },
  {
    why: 'domains that only look reserved',
    spec: secret({
      labels: {
        'mykubernetes.io/a': 'b',
        'kubernetes.io.example.com/a': 'b',
        'kubernetes.io': 'b',
      },
    }),
  },
  ...[
    'kubernetes.io/a',
    'app.kubernetes.io/name',
    'kubectl.kubernetes.io/last-applied-configuration',
    'k8s.io/a',
    'x.y.k8s.io/a',
    'keyward.dev/api-key',
    'a.keyward.dev/b',
    'argocd.argoproj.io/instance',
    'kustomize.toolkit.fluxcd.io/name',
    'helm.toolkit.fluxcd.io/name',
    'meta.helm.sh/release-name',
  ].flatMap((name) => [
    { why: `reserved label ${name}`, spec: secret({ labels: { [name]: 'x' } }), refused: RESERVED },
    {
      why: `reserved annotation ${name}`,
      spec: secret({ annotations: { [name]: 'x' } }),
      refused: RESERVED,
    },
  ]),
  {
    why: 'a label name with a blank',
    spec: secret({ labels: { 'a b': 'x' } }),
    refused: 'not a label or annotation name',
  },
  {
    why: 'a label value that Kubernetes refuses',
    spec: secret({ labels: { a: 'x y' } }),
    refused: 'labels',
  },
  { why: '17 labels', spec: secret({ labels: entries(17) }), refused: 'at most 16' },
  {
    why: 'an unknown onLoss',
    spec: secret({ onLoss: 'Ignore' }),
    refused: 'onLoss: Unsupported value',
  },
  {
    why: 'an unknown ownership',
    spec: secret({ ownership: 'Merge' }),
    refused: 'ownership: Unsupported value',
  },
];

function entries(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`e${i}`, 'x']));
}
