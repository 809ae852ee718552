/** What is explored: small worlds, each with every order of what people, time and faults do to it. */
import { aRotation, aSecretSpec, aSpec, aStore } from '../support/world.ts';
import type { Fault, Scenario } from './events.ts';

const FAULTS: readonly Fault[] = ['crash', 'lostAnswer', 'staleKey', 'staleSecret', 'newLeader'];
const BASE = { store: aStore(), admission: 'stamped', faults: 3, kinds: FAULTS } as const;

const PLANNED = { rotation: aRotation({ requestId: 'r1' }) };
const EMERGENCY = { rotation: aRotation({ requestId: 'r1', urgency: 'Emergency' }) };
const WAITING = { secret: aSecretSpec({ onLoss: 'Wait' }) };

export const SCENARIOS: readonly Scenario[] = [
  {
    ...BASE,
    title: 'a key is rotated, deleted and made anew under its name',
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec() },
        { type: 'edit', name: 'a', spec: PLANNED },
        { type: 'delete', name: 'a' },
        { type: 'create', name: 'a', uid: 'u2', spec: aSpec() },
      ],
    ],
  },
  {
    ...BASE,
    title: 'two keys want one Secret, one is rotated, one is deleted',
    // Two names at once have so many orders that one fault fills the time.
    faults: 1,
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec() },
        { type: 'edit', name: 'a', spec: PLANNED },
        { type: 'delete', name: 'a' },
      ],
      [
        {
          type: 'create',
          name: 'b',
          uid: 'u2',
          spec: aSpec({ secret: aSecretSpec({ name: 'a' }) }),
        },
      ],
    ],
  },
  {
    ...BASE,
    title: 'the old values end at once in an emergency, without a stamp at admission',
    admission: 'bare',
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec() },
        { type: 'edit', name: 'a', spec: EMERGENCY },
        { type: 'delete', name: 'a' },
      ],
    ],
  },
  {
    ...BASE,
    title: 'a Dual key takes turns',
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec({ format: 'Dual' }) },
        { type: 'edit', name: 'a', spec: PLANNED },
        { type: 'delete', name: 'a' },
      ],
    ],
  },
  {
    ...BASE,
    title: 'the Secret is removed while the key is rotated',
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec() },
        { type: 'edit', name: 'a', spec: PLANNED },
      ],
      [{ type: 'removeSecret', secret: 'a' }],
    ],
  },
  {
    ...BASE,
    title: 'the Secret is removed around an emergency, and nothing is to follow unasked',
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec(WAITING) },
        { type: 'edit', name: 'a', spec: EMERGENCY },
      ],
      [{ type: 'removeSecret', secret: 'a' }],
    ],
  },
  {
    ...BASE,
    title: 'the Secret is edited while the key is suspended and revoked',
    faults: 2,
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec() },
        { type: 'edit', name: 'a', spec: { state: 'Suspended' } },
        { type: 'edit', name: 'a', spec: { state: 'Active' } },
        { type: 'edit', name: 'a', spec: { state: 'Revoked' } },
      ],
      [{ type: 'tamper', secret: 'a' }],
    ],
  },
  {
    ...BASE,
    title: 'somebody takes the finalizer away and makes the key anew',
    scripts: [
      [
        { type: 'create', name: 'a', uid: 'u1', spec: aSpec() },
        { type: 'delete', name: 'a' },
        { type: 'strip', name: 'a' },
        { type: 'create', name: 'a', uid: 'u2', spec: aSpec() },
      ],
    ],
  },
];
