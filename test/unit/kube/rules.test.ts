/** What an account lacks, by the answer of the API server. */
import { describe, expect, test } from 'vitest';
import type { Right } from '../../../src/api/rights.ts';
import { lackingOf, readRules } from '../../../src/kube/rules.ts';

const RIGHT: Right = {
  resources: [
    { group: 'keyward.dev', plural: 'apikeys' },
    { group: 'keyward.dev', plural: 'keystores' },
  ],
  subresource: 'status',
  verbs: ['get', 'update'],
  scope: 'Watched',
  use: 'A test.',
  without: 'nothing',
  feature: 'Core',
};

const rules = (...resourceRules: object[]) =>
  readRules({ status: { resourceRules, incomplete: false } });
const rule = (verbs: string, resources: string, resourceNames?: string[]) => ({
  verbs: verbs.split(' '),
  apiGroups: ['keyward.dev'],
  resources: resources.split(' '),
  ...(resourceNames === undefined ? {} : { resourceNames }),
});

describe('a right', () => {
  test('is there when rules allow all of it together, also by wildcards', () => {
    const both = 'apikeys/status keystores/status';
    expect(lackingOf(RIGHT, rules(rule('get', both), rule('update', both)))).toEqual([]);
    expect(lackingOf(RIGHT, rules(rule('*', '*')))).toEqual([]);
    expect(lackingOf(RIGHT, rules(rule('get update', '*/status')))).toEqual([]);
  });

  test('is named by what is missing of it', () => {
    const some = rules(rule('get', 'apikeys/status'), rule('get update', 'apikeys keystores'));
    expect(lackingOf(RIGHT, some)).toEqual([
      'update apikeys/status',
      'get, update keystores/status',
    ]);
    const elsewhere = { ...rule('*', '*'), apiGroups: ['apps'] };
    expect(lackingOf(RIGHT, rules(elsewhere))).toHaveLength(2);
  });

  test('on names is there when each of them is allowed, and on all objects only without names', () => {
    const named = rules(rule('get update', 'apikeys/status keystores/status', ['a', 'b']));
    expect(lackingOf({ ...RIGHT, names: ['a', 'b'] }, named)).toEqual([]);
    expect(lackingOf({ ...RIGHT, names: ['a', 'c'] }, named)).toHaveLength(2);
    expect(lackingOf(RIGHT, named)).toHaveLength(2);
  });
});

test('an answer that cannot be read allows nothing and is not complete', () => {
  for (const answer of [{}, { status: null }, { status: { resourceRules: 'all' } }]) {
    expect(readRules(answer)).toEqual({ rules: [], isComplete: false });
  }
  expect(lackingOf(RIGHT, readRules({ status: { resourceRules: [{ verbs: 7 }] } }))).toHaveLength(
    2,
  );
});
