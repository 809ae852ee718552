import { describe, expect, test } from 'vitest';
import { plain } from '../../../src/cli/output.ts';
import { statusText } from '../../../src/cli/statustext.ts';
import { widthOf } from '../../../src/cli/width.ts';
import { changeForm, issuedKey, NOW_MS, store } from './forms.ts';

const how = { nowMs: NOW_MS, paint: plain };

describe('status', () => {
  test('shows form, key, Secret and store as a tree', () => {
    const family = { form: changeForm(), key: issuedKey(), store: store() };
    expect(statusText(family, how)).toBe(
      `OBJECT                       READY   STATUS          DETAIL
ApiKeyApplication/payments   True    ChangePending   Change round 3: Pending,
│                                                    quota 1000 → 5000,
│                                                    submitted 3d ago, grant
│                                                    InForce
├─ ApiKey/payments           True    Rotating        dtrLRMi3o3hGZQeS, expires
│                                                    in 30d, previous values
│                                                    retire in 23h
│  ├─ uses                                           at most 400 of 1000 left
│  └─ Secret/payments                Written         entries apiKey, keyId
└─ ClusterKeyStore/default   True    Connected

next: What was granted is in force; a change, reissue or revocation waits for a
      reviewer.
`,
    );
  });

  test('is as wide as the usual terminal, also where names of other people are long', () => {
    const form = changeForm({
      status: {
        state: 'Pending',
        round: {
          number: 1,
          type: 'Change',
          changes: [{ field: 'purpose', from: 'x', to: 'y'.repeat(300) }],
        },
      },
    });
    const family = { form, key: issuedKey(), store: store() };
    const widths = statusText(family, how)
      .split('\n')
      .map((line) => widthOf(line));
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
  });

  test('names what is missing, says every condition whole, and what to do about the first', () => {
    const message = `a product ${'x'.repeat(80)}\nnext: nothing; all is well`;
    const form = changeForm({
      status: {
        state: 'Incomplete',
        conditions: [
          {
            type: 'Ready',
            status: 'False',
            reason: 'Incomplete',
            message,
            lastTransitionTime: '2027-01-01T10:00:00Z',
          },
        ],
      },
    });
    const text = statusText({ form, key: undefined, store: undefined }, how);
    expect(text).toMatch(/^├─ ApiKey\/payments +not there$/m);
    expect(text).toContain('not visible to you');
    expect(text).toContain('ApiKeyApplication Ready=False Incomplete\n    | a product');
    expect(text.match(/^next:.*$/gm)).toEqual([
      'next: Fields are missing or wrong; the message names all of them at once.',
    ]);
  });

  test('tells uses as the database knows them, and that nothing is left', () => {
    const uses = { total: 1200, lastUsedMs: NOW_MS - 300_000, left: 390 };
    const family = { form: undefined, key: issuedKey(), store: store() };
    expect(statusText({ ...family, uses }, how)).toContain('390 of 1000 left, 1200 calls,\n');
    const key = issuedKey();
    const empty = { ...key, status: { ...key.status, quota: { limit: 5, remaining: 0 } } };
    const text = statusText({ ...family, key: empty }, how);
    expect(text).toMatch(/^├─ uses +UsedUp +nothing of 5 left$/m);
    expect(text).toContain('next: Nothing is left of the quota');
  });

  test('of a key without a form begins with the key', () => {
    const text = statusText({ form: undefined, key: issuedKey(), store: store() }, how);
    expect(text.split('\n').map((line) => line.split(/ {2,}/)[0])).toEqual([
      'OBJECT',
      'ApiKey/payments',
      '│',
      '│',
      '├─ uses',
      '├─ Secret/payments',
      '└─ ClusterKeyStore/default',
      '',
      'next: nothing; all is well',
      '',
    ]);
  });
});
