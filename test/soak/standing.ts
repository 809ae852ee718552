/** Keys that live through it all, of the kinds there are, and values that never were any. */
import { randomBytes } from 'node:crypto';
import { API_KEYS, SECRETS } from '../../src/api/names.ts';
import { eventually } from '../support/eventually.ts';
import { inParallel } from '../support/parallel.ts';
import type { Shown } from './calls.ts';
import type { World } from './world.ts';

const SPECS: readonly object[] = [
  {},
  { format: 'Dual' },
  { terms: { quota: { requests: 9_000_000_000_000 } } },
  { terms: { originPolicy: { allowed: ['https://www.example.com'] } } },
  { terms: { validity: { durationDays: 90 }, cidrs: ['192.0.2.0/24'] } },
];
/** One in so many questions shows a value that nobody was given. */
const BAD_EVERY = 20;
const WIDTH = 16;

/** Makes them and waits until all are Ready. @returns what to show the gate */
export async function makeStanding(world: World, count: number): Promise<readonly Shown[]> {
  const { api, namespaces } = world;
  const places = Array.from({ length: count }, (_, at) => ({
    namespace: namespaces[at % namespaces.length] ?? '',
    name: `standing-${at}`,
    isGood: at % BAD_EVERY !== 0,
    spec: SPECS[at % SPECS.length] ?? {},
  }));
  await inParallel(places, WIDTH, async ({ namespace, name, spec }) => {
    await api.create(API_KEYS, { metadata: { namespace, name }, spec });
  });
  return inParallel(places, WIDTH, async ({ namespace, name, isGood }) => {
    const value = await eventually(async () => {
      const secret = await api.get(SECRETS, namespace, name);
      const text = secret?.data?.['apiKey'];
      if (text === undefined) throw new Error(`${namespace}/${name} has no value yet`);
      return Buffer.from(text, 'base64').toString();
    });
    return isGood ? { value, isGood } : bad(value);
  });
}

/** Every other one of the right shape but for its end, the others nothing like a key. */
function bad(value: string): Shown {
  const noise = randomBytes(24).toString('hex');
  return { value: noise < '8' ? noise : `${value.slice(0, -6)}000000`, isGood: false };
}
