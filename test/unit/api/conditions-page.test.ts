import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { conditionsPage } from '../../../tools/generate/conditions-page.ts';

it('docs/conditions.md says exactly what the code lists (npm run generate writes it)', () => {
  const page = readFileSync(new URL('../../../docs/conditions.md', import.meta.url), 'utf8');
  expect(page).toBe(conditionsPage());
});
