import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runRotate, runSwitch } from '../../../src/bin/switching.ts';
import { type PersonSite, personSite } from './person.site.ts';

let site: PersonSite;
beforeEach(async () => {
  site = await personSite(() => ({ spec: { state: 'Active' } }));
});
afterEach(() => site.stop());

describe('a flag that has no place where it is given', () => {
  test.each([
    ['--reason', { reason: 'Exposed' }],
    ['--message', { message: 'seen in a log' }],
  ])('%s of a rotation is refused for a key without a form', async (flag, given) => {
    const { kubeconfig } = site;
    await expect(runRotate({ kubeconfig, ...given }, 'k1')).rejects.toMatchObject({
      reason: 'Usage',
      message: expect.stringMatching(`^${flag} is for keys with a form.* use --emergency`),
    });
    expect(site.writes()).toEqual([]);
  });

  test.each([
    ['--reason', { reason: 'Security' }],
    ['--message', { message: 'seen in a log' }],
    ['--layer', { layer: 'security' }],
  ])('%s of a decision is refused where the object is only edited', async (flag, given) => {
    const { kubeconfig } = site;
    for (const wanted of ['Suspended', 'Resumed', 'Revoked'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(runSwitch({ kubeconfig, ...given }, ['k1'], wanted)).rejects.toMatchObject({
        reason: 'Usage',
        message: expect.stringMatching(`^${flag} is of .*add --review`),
      });
    }
    expect(site.writes()).toEqual([]);
  });
});
