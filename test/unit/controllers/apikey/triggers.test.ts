/** Which keys an edit of a Secret wakes. */
import { describe, expect, test } from 'vitest';
import { OwnSecrets } from '../../../../src/controllers/apikey/ownsecrets.ts';
import { onSecret } from '../../../../src/controllers/apikey/triggers.ts';
import type { SecretView } from '../../../../src/controllers/apikey/view.ts';

const REF = { namespace: 'team', name: 'creds' };

function aView(change: Partial<SecretView> = {}): SecretView {
  return { uid: 's', resourceVersion: '5', label: 'web', ownerName: 'web', ...change };
}

function woken(
  previous: SecretView | undefined,
  current: SecretView | undefined,
  own = new OwnSecrets(),
): readonly string[] {
  return onSecret(own, { ref: REF, previous, current }).map(({ ref }) => ref.name);
}

describe('a Secret', () => {
  test('that somebody edits or deletes wakes its key, once', () => {
    expect(woken(aView(), aView({ resourceVersion: '6' }))).toEqual(['web']);
    expect(woken(aView(), undefined)).toEqual(['web']);
    expect(woken(aView({ ownerName: undefined }), undefined)).toEqual(['web']);
    expect(woken(undefined, aView({ ownerName: undefined, label: '' }))).toEqual([]);
  });

  test('that an edit gives to another key wakes also the one that it was of', () => {
    const orphan = aView({ ownerName: undefined });
    const relabelled = aView({ ownerName: undefined, label: 'other', resourceVersion: '6' });
    expect(woken(orphan, relabelled)).toEqual(['web', 'other']);
    expect(woken(aView(), aView({ ownerName: 'other' })).toSorted()).toEqual(['other', 'web']);
  });

  test('that we wrote wakes nothing', () => {
    const own = new OwnSecrets();
    own.wrote(REF, { uid: 's', resourceVersion: '6' }, aView());
    expect(woken(aView(), aView({ resourceVersion: '6' }), own)).toEqual([]);
  });

  test('wakes its key also while another one tries to write a Secret of that name', () => {
    const own = new OwnSecrets();
    own.begin(REF, 'other');
    expect(woken(aView(), undefined, own)).toEqual(['web']);
    own.begin(REF, 'web');
    own.settled(REF, 'other');
    expect(woken(aView(), undefined, own)).toEqual([]);
    own.settled(REF, 'web');
    expect(woken(aView(), undefined, own)).toEqual(['web']);
  });
});
