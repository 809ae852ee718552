import { describe, expect, test } from 'vitest';
import { placeOfRotation } from '../../../src/cli/switches.ts';
import { store } from './forms.ts';
import type { Store } from '../../../src/cli/objects.ts';

function reviewing(): Store {
  const { spec, ...rest } = store();
  return {
    ...rest,
    spec: { ...spec, applications: { ...spec.applications, requiredFor: ['Reissue'] } },
  };
}

describe('where new values of a key with a form are asked for', () => {
  test('in the form, where the store reviews them or may not be read', () => {
    expect(placeOfRotation({}, reviewing())).toBe('Form');
    expect(placeOfRotation({}, undefined)).toBe('Form');
    expect(placeOfRotation({ reason: 'Exposed' }, undefined)).toBe('Form');
  });

  test('of the key, where the store does not review them', () => {
    expect(placeOfRotation({}, store())).toBe('Key');
    expect(placeOfRotation({ emergency: true }, store())).toBe('Key');
    expect(placeOfRotation({ slot: 'Primary' }, undefined)).toBe('Key');
  });

  test('in the form for a reason, which the key has no place for', () => {
    expect(placeOfRotation({ reason: 'Exposed' }, store())).toBe('Form');
  });

  test('nowhere, where a flag would be lost', () => {
    expect(() => placeOfRotation({ emergency: true }, reviewing())).toThrow(
      '--emergency is not for new values',
    );
    expect(() => placeOfRotation({ overlapSeconds: '0', reason: 'Exposed' }, undefined)).toThrow(
      '--overlap-seconds is not for',
    );
  });
});
