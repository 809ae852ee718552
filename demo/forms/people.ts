/** Who takes part: their rights, and how the steps reach them. */
import type { Stage } from '../stage.ts';
import { DEMO_NAMESPACE } from '../cluster.ts';
import { Person } from './person.ts';

/** Jin applies; the others decide, each with the groups of the samples. */
const GROUPS = {
  jin: [],
  sora: ['visitseoul-administrators', 'api-owners'],
  theo: ['security-officers'],
} as const;

/** Somebody of this story. */
export function person(stage: Stage, name: keyof typeof GROUPS): Promise<Person> {
  return Person.of(stage, name, GROUPS[name]);
}

/** Jin may have keys in the demo's namespace: register clients, apply, and no more. */
export async function letJinApply(stage: Stage): Promise<void> {
  const everybody = ['--clusterrole=keyward-catalog', '--group=system:authenticated'];
  await stage.kubectl(['create', 'clusterrolebinding', 'keyward-catalog', ...everybody]);
  for (const role of ['keyward-view', 'keyward-edit']) {
    await stage.kubectl([
      'create',
      'rolebinding',
      `jin-${role}`,
      `--clusterrole=${role}`,
      '--user=jin@example.com',
      `--namespace=${DEMO_NAMESPACE}`,
    ]);
  }
}
