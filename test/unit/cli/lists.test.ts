import { describe, expect, test } from 'vitest';
import { keyTable } from '../../../src/cli/keytable.ts';
import { plain } from '../../../src/cli/output.ts';
import { matching } from '../../../src/cli/search.ts';
import {
  parseTarget,
  reissuePatch,
  rotationPatch,
  switchPatch,
} from '../../../src/cli/switches.ts';
import { changeForm, issuedKey } from './forms.ts';

describe('keys', () => {
  test('R100 are listed with key, name, created, expiry, revoked and state, newest first', () => {
    const revoked = issuedKey({
      status: {
        keyId: 'newer',
        issuedTime: '2026-12-01T00:00:00Z',
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'Revoked',
            message: '',
            lastTransitionTime: '2026-12-24T00:00:00Z',
          },
        ],
      },
    });
    const columns = { namespace: 'Without', client: 'Without', wide: 'Without' } as const;
    expect(keyTable([issuedKey(), revoked], columns, plain)).toBe(
      [
        'KEY                NAME       CREATED                EXPIRES                REVOKED                STATE',
        'newer              payments   2026-12-01T00:00:00Z   2027-02-01T00:00:00Z   2026-12-24T00:00:00Z   Revoked',
        'dtrLRMi3o3hGZQeS   payments   2026-11-01T00:00:00Z   2027-02-01T00:00:00Z                          Rotating\n',
      ].join('\n'),
    );
  });
});

test('keys show what is left of their quota where there is room', () => {
  const columns = { namespace: 'Without', client: 'Without', wide: 'With' } as const;
  const [titles = '', row = ''] = keyTable([issuedKey()], columns, plain).split('\n');
  expect(row.slice(titles.indexOf('LEFT'))).toBe('at most 400 of 1000 left');
});

describe('search', () => {
  const all = ['Weather of Seoul 날씨', 'Traffic', 'Ünits'];
  const textsOf = (text: string): readonly string[] => [text];

  test.each([
    [undefined, all],
    ['SEOUL weather', ['Weather of Seoul 날씨']],
    ['날씨', ['Weather of Seoul 날씨']],
    ['날씨'.normalize('NFD'), ['Weather of Seoul 날씨']],
    ['ü', ['Ünits']],
    ['seoul traffic', []],
  ])('R98 R115 by %s finds what has every word of it', (keyword, found) => {
    expect(matching(all, keyword, textsOf)).toEqual(found);
  });
});

describe('switches', () => {
  test('name a key unless they say client', () => {
    expect(parseTarget('a')).toEqual({ target: 'Key', name: 'a' });
    expect(parseTarget('client/a')).toEqual({ target: 'Client', name: 'a' });
    expect(() => parseTarget('secret/a')).toThrow('client/NAME');
  });

  test('set the state, which a client has no end of', () => {
    expect(switchPatch('Client', 'Resumed')).toEqual({ spec: { state: 'Active' } });
    expect(() => switchPatch('Client', 'Revoked')).toThrow('--review');
  });

  test('a plain rotation leaves the spec to Git', () => {
    const plainly = {
      requestId: 'r',
      urgency: 'Planned',
      slot: undefined,
      overlapSeconds: undefined,
    } as const;
    expect(rotationPatch(plainly)).toEqual({
      metadata: { annotations: { 'keyward.dev/rotate-request-id': 'r' } },
    });
  });

  test('an emergency is about every value, whichever slot was asked for before', () => {
    const wish = { requestId: 'r', urgency: 'Emergency', overlapSeconds: undefined } as const;
    expect(rotationPatch({ ...wish, slot: undefined })).toEqual({
      spec: { rotation: { requestId: 'r', urgency: 'Emergency', slot: null } },
    });
    expect(rotationPatch({ ...wish, slot: 'Primary' })).toEqual({
      spec: { rotation: { requestId: 'r', urgency: 'Emergency', slot: 'Primary' } },
    });
  });
});

describe('new values that are reviewed', () => {
  const wish = { requestId: 'r', reason: 'Exposed', message: 'in a repository' } as const;
  const form = (
    annotations: Record<string, string>,
    more: Parameters<typeof changeForm>[0] = {},
  ): ReturnType<typeof changeForm> => {
    const plainForm = changeForm(more);
    return { ...plainForm, metadata: { ...plainForm.metadata, annotations } };
  };

  test('are asked for through the form, where whoever asks stands among its editors once', () => {
    const { message } = wish;
    const spec = { reissue: { requestId: 'r', reason: 'Exposed', message, whileWaiting: null } };
    const own = form({ 'keyward.dev/applicant': 'jin', 'keyward.dev/editors': 'a' });
    expect(reissuePatch(own, wish, 'jin')).toEqual({ metadata: { resourceVersion: '1' }, spec });
    expect(reissuePatch(own, wish, 'a')).toEqual({ metadata: { resourceVersion: '1' }, spec });
    expect(reissuePatch(own, wish, 'b')).toEqual({
      metadata: { resourceVersion: '1', annotations: { 'keyward.dev/editors': 'a\nb' } },
      spec,
    });
  });

  const leak = {
    requestId: 'leak',
    reason: 'Exposed',
    message: 'in a log',
    whileWaiting: 'Suspend',
  };
  const applicant = { 'keyward.dev/applicant': 'jin' };
  const routine = { requestId: 'r', reason: 'Routine', message: undefined } as const;

  test('take over neither the words of an earlier leak nor that it switched the key off', () => {
    const status = { lastHandledReissueRequestId: 'leak' };
    const settled = form(applicant, { spec: { reissue: leak }, status });
    expect(reissuePatch(settled, routine, 'jin')).toMatchObject({
      spec: { reissue: { requestId: 'r', reason: 'Routine', message: null, whileWaiting: null } },
    });
  });

  test('leave out a leak of long ago, too, that a file brought back after a later request', () => {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'InForce', message: 'm' }];
    const status = { lastHandledReissueRequestId: 'later', observedGeneration: 7, conditions };
    const revived = form(applicant, { spec: { reissue: leak }, status });
    const patch = { spec: { reissue: { message: null, whileWaiting: null } } };
    expect(reissuePatch(revived, routine, 'jin')).toMatchObject(patch);
    // Nobody has looked at the newest edit yet, so it may be one that waits.
    const edited = { ...revived, metadata: { ...revived.metadata, generation: 8 } };
    expect(reissuePatch(edited, routine, 'jin')).not.toHaveProperty('spec.reissue.whileWaiting');
  });

  test('leave a key off that an earlier request holds off until its decision', () => {
    const status = { lastHandledReissueRequestId: 'before' };
    const waiting = form(applicant, { spec: { reissue: leak }, status });
    expect(reissuePatch(waiting, routine, 'jin')).toMatchObject({
      spec: { reissue: { requestId: 'r', reason: 'Routine', message: null } },
    });
    expect(reissuePatch(waiting, routine, 'jin')).not.toHaveProperty('spec.reissue.whileWaiting');
  });
});
