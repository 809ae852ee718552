import { describe, expect, test } from 'vitest';
import * as applications from '../../../src/api/applicationconditions.ts';
import * as conditions from '../../../src/api/conditions.ts';
import { REFUSALS } from '../../../src/terms/refusals.ts';
import {
  allMeanings,
  meaningsOfWord,
  meaningsText,
  similarReasons,
} from '../../../src/cli/explain.ts';

/** Reasons of a table in src/api/conditions.ts, of whichever of its shapes. */
function reasonsOf(table: object): string[] {
  return Object.entries(table).flatMap(([name, entry]: [string, unknown]) => {
    if (typeof entry !== 'object' || entry === null) return [];
    return 'sentence' in entry ? [name] : reasonsOf(entry);
  });
}

describe('explain', () => {
  test('knows every reason that any condition or event can have', () => {
    const tables = [...Object.values(conditions), ...Object.values(applications)].filter(
      (value) => typeof value === 'object',
    );
    const wanted = tables.flatMap((table) => reasonsOf(table as object));
    const known = new Set(allMeanings().map(({ reason }) => reason));
    expect(wanted.length).toBeGreaterThan(120);
    expect(wanted.filter((reason) => !known.has(reason))).toEqual([]);
  });

  test('says status, what it means for tools, and what to do, in whatever case the word is', () => {
    expect(meaningsText(meaningsOfWord('secretconflict'))).toBe(
      [
        'SecretConflict: Ready=False of ApiKey: stays like this until a person acts',
        '  The Secret name is taken by something else; choose another name.',
        '',
      ].join('\n'),
    );
  });

  test('says all of them in lines that fit the usual terminal', () => {
    const lines = meaningsText(allMeanings()).split('\n');
    expect(lines.filter((line) => line.startsWith('  ') && line.length > 80)).toEqual([]);
  });

  test('knows every reason that a gate answers, and the causes in its log', () => {
    for (const { reason, cause } of Object.values(REFUSALS)) {
      expect(meaningsOfWord(reason).map(({ condition }) => condition)).toContain('Gate');
      expect(meaningsOfWord(cause)).not.toEqual([]);
    }
    const text = meaningsText(meaningsOfWord('unlisted'));
    expect(text).toMatch(/^ApiNotAllowed: answer 403 of a gate\n/);
    expect(text).toContain('TargetDoubtful');
  });

  test('lists the reasons of a condition', () => {
    expect(meaningsOfWord('SecretSynced').map(({ reason }) => reason)).toContain('Tampered');
  });

  test('finds what was meant by a word that nobody says', () => {
    expect(meaningsOfWord('Denid')).toEqual([]);
    expect(similarReasons('Denid')[0]).toBe('Denied');
    expect(similarReasons('xyzzy-plugh')).toEqual([]);
  });
});
