/** Whether a key is still the same: what must not change when the operator is disturbed. */
import { expect } from '../demo/expect.ts';
import { SHOP, type Stage } from './stage.ts';

/** What makes up a key, outside and inside. */
export type Identity = {
  readonly keyId: string;
  readonly sequence: string;
  /** Of the Secret: any write to it changes this. */
  readonly resourceVersion: string;
};

/** How the key is now. */
export async function identityOf(stage: Stage, name: string): Promise<Identity> {
  return {
    keyId: await stage.field(SHOP, `akey/${name}`, '.status.keyId'),
    sequence: await stage.field(SHOP, `akey/${name}`, '.status.sequence'),
    resourceVersion: await stage.field(SHOP, `secret/${name}`, '.metadata.resourceVersion'),
  };
}

/** @throws Unmet when the key, or its Secret, is not as it was */
export async function expectSame(stage: Stage, name: string, before: Identity): Promise<void> {
  const now = await identityOf(stage, name);
  const isSame = JSON.stringify(now) === JSON.stringify(before) && now.keyId !== '';
  expect(`key ${name} unchanged: ${JSON.stringify(before)}`, isSame, now);
  stage.screen.proof(`key ${name} is the same, and nobody wrote its Secret: ${now.keyId}`);
}
