/** What steps about forms look at. */
import type { ApiKeyApplicationStatus } from '../../src/api/generated/apikeyapplication.ts';
import { expect } from '../expect.ts';
import type { Stage } from '../stage.ts';

/** Until then nobody knows who files a form. */
export async function untilProven(stage: Stage): Promise<void> {
  await stage.until('the admission policies are proven to be in force', async () => {
    const page = await fetch(new URL('/metrics', stage.operator.metricsUrl));
    return /^keyward_admission_policies_proven 1$/m.test(await page.text());
  });
  stage.screen.proof('forgeries are refused: who applies and who decides is known');
}

/** Shows a form as `kubectl get` does, waits for its reason, and prints what it says. */
export async function untilForm(stage: Stage, name: string, reason: string): Promise<string> {
  const message = await stage.untilSaid(`akapp/${name}`, reason);
  await stage.kubectl(['get', 'akapp', name]);
  stage.screen.say(`It says: ${message}`);
  return message;
}

/** The status of a form as it is now. */
export async function formStatus(stage: Stage, name: string): Promise<ApiKeyApplicationStatus> {
  const text = await stage.ask(['get', 'akapp', name, '-o', 'json']);
  return (JSON.parse(text) as { readonly status: ApiKeyApplicationStatus }).status;
}

/** Waits until a round of this type waits for reviewers. */
export async function untilRound(stage: Stage, name: string, type: string): Promise<void> {
  await stage.until(`a ${type} round of ${name} is in review`, async () => {
    const { state, round } = await formStatus(stage, name);
    return state === 'Pending' && round?.type === type;
  });
}

/** No Secret, and no credential in the ledger either. */
export async function expectNoKey(stage: Stage, name: string): Promise<void> {
  const secret = await stage.ask(['get', 'secret', name, '--ignore-not-found']);
  expect('there is no Secret', secret === '', secret);
  const { stdout } = await stage.quiet(['audit', 'list', '--limit=1000', '-o', 'json']);
  expect('the ledger has issued nothing', !stdout.includes('KeyIssued'), stdout);
  stage.screen.proof('there is no Secret, and the ledger has issued nothing');
}
