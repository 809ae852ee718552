/** What status says about a key whose object is being deleted. Pure. */
import type { KeywardError } from '../../kernel/errors.ts';
import { firstFinding } from './checks.ts';
import { awaitsStore, unfinished } from './retaining.ts';
import type { Finding } from './finding.ts';
import { whyStillThere } from './remote/status.ts';
import type { StoreFact, World } from './world.ts';

/** Why the object is still there; undefined while it only takes its turn. */
export function stillThere(world: World, failure?: KeywardError): Finding | undefined {
  if (awaitsStore(world)) return awaited(world.store);
  const left = unfinished(world);
  if (left !== undefined) {
    return postponed(left, failure ?? world.evidence.remoteTrouble ?? firstFinding(world));
  }
  const message = whyStillThere(world, failure);
  return message === undefined ? undefined : { reason: 'Revoked', message };
}

function awaited(store: StoreFact): Finding {
  const trouble =
    store.type === 'Unusable' ? `${store.name}: ${store.problem}` : `${store.name} does not exist`;
  const message = `the key is being deleted with deletionPolicy Retain, and only its store says whether it may go on (${trouble}); until then its values stay as they are: make the store usable again, or set spec.deletionPolicy to Revoke to end the key`;
  return { reason: 'StoreUnavailable', message };
}

const LEFT = {
  State: 'its store was told whether it is suspended',
  Products: 'its store took back the products that its terms name no more',
  Rotation: 'its values are replaced and in its Secret',
} as const;

function postponed(
  left: keyof typeof LEFT,
  trouble: { readonly message: string } | undefined,
): Finding {
  const why = trouble === undefined ? 'is under way' : `fails: ${trouble.message}`;
  const message = `the key is being deleted with deletionPolicy Retain, and goes on only when ${LEFT[left]}, which ${why}; set spec.deletionPolicy to Revoke to end the key instead`;
  return { reason: 'StoreUnavailable', message };
}
