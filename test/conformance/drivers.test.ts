import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { driverCases } from '../../kit/driverkit.ts';
import { localCases } from '../../kit/localkit.ts';
import { localSubjects, subjects } from './subjects.ts';

describe.each(Object.entries(subjects))('the driver %s', (_, subject) => {
  test.each(driverCases(subject))('$title', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe.each(Object.entries(localSubjects))('the driver %s', (_, subject) => {
  test.each(localCases(subject))('$title', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

test('the example driver of docs/drivers.md has at most 200 lines', () => {
  const file = join(import.meta.dirname, '../../docs/examples/tokenshop/driver.ts');
  expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(200);
});
