import { describe, expect, test } from 'vitest';
import { driverCases } from '../../kit/driverkit.ts';
import { subjects } from './subjects.ts';

describe.each(Object.entries(subjects))('the driver %s', (_, subject) => {
  test.each(driverCases(subject))('$title', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
