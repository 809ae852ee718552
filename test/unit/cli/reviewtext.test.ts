import { describe, expect, test } from 'vitest';
import { plain } from '../../../src/cli/output.ts';
import { isBehind, reviewText, summaryText } from '../../../src/cli/reviewtext.ts';
import { changesBetween } from '../../../src/terms/differences.ts';
import type { TermsSpec } from '../../../src/terms/terms.ts';
import { changeForm, HASH, NOW_MS, store } from './forms.ts';

const reading = { store: store(), nowMs: NOW_MS, paint: plain };

describe('a form as its reviewer reads it', () => {
  test('says who, under which rules, what differs, in which words, and what came before', () => {
    expect(reviewText(changeForm(), reading)).toBe(
      `ApiKeyApplication shop/payments   Pending
  applicant  jin@example.com (Authenticated)
  editors    ci-bot
  client     checkout
  key        payments
  store      ClusterKeyStore default
  rules      reviewed: Issue, Change; layers manager (1), then security (2); self review Forbidden; after a denial Resubmit
  asks for   Change, round 3
  waits for  layer security, 1 of 2 given; submitted 3d ago, lapses in 11d
  hash       ${HASH}

Differences to what is in force
  terms.quota.requests
    now   | 1000
    asked | 5000

In the words of the applicant
  purpose
    | Checkout creates
    | payment intents

Granted
  InForce, round 2, from 2026-11-01T00:00:00Z until 2027-02-01T00:00:00Z
    | quota.requests 1000
    | quota.period Day

Decisions, newest first
  WHEN     DECISION   REVIEWER           LAYER     REASON   MESSAGE
  2d ago   Approved   mina@example.com   manager            fine
`,
    );
  });

  test('warns of a form that was edited since, and of a store that cannot be read', () => {
    const behind = changeForm({ status: { observedGeneration: 3 } });
    expect(isBehind(behind)).toBe(true);
    const text = reviewText(behind, { ...reading, store: undefined });
    expect(text).toContain('edited     since then; what follows may be old, look again');
    expect(text).toContain('rules      not known');
  });

  test('never lets words of the applicant begin a line or act on the terminal', () => {
    const evil = `x${' '.repeat(90)}hash sha256:fake\u001b[2K\r\nApiKeyApplication shop/other   Approved`;
    const form = changeForm({
      spec: {
        purpose: evil,
        justification: evil,
        displayName: 'a\u202eb',
        contact: { name: evil },
        service: { name: evil, description: evil },
      },
      status: {
        round: {
          number: 1,
          type: 'Issue',
          requestHash: HASH,
          changes: [{ field: 'terms.productRefs', to: evil }],
        },
        reviews: [{ name: 'r', decision: 'Returned', reviewer: evil, message: evil, time: 'x' }],
        applicant: { username: evil, source: 'Authenticated' },
      },
    });
    for (const text of [reviewText(form, reading), summaryText(form)]) {
      expect(text).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
      const fakes = text.split('\n').filter((line) => /^(ApiKeyApplication|hash)/.test(line));
      expect(fakes.filter((line) => !line.startsWith('ApiKeyApplication shop/payments'))).toEqual(
        [],
      );
    }
  });
});

test('what a decision repeats is what it decides about', () => {
  const narrowed = { quota: { requests: 10 }, expirationDate: '2027-01-31' };
  expect(summaryText(changeForm(), narrowed)).toBe(
    `${summaryText(changeForm())}  of which you leave\n    quota: {"requests":10}\n    expirationDate: 2027-01-31\n`,
  );
  expect(summaryText(changeForm())).toBe(
    `shop/payments: Change, round 3
  applicant  jin@example.com
  hash       ${HASH}
  terms.quota.requests
    now   | 1000
    asked | 5000
`,
  );
});

describe('the lists of a form', () => {
  test('shows every site, network and product that an approval admits, however many there are', () => {
    const terms = {
      originPolicy: { allowed: numbered(32, (n) => `https://s${n}.example.com`) },
      cidrs: numbered(32, (n) => `10.0.${n}.0/24`),
      productRefs: [...numbered(63, (n) => `map-${n}`), 'payments-admin'].map((name) => ({ name })),
    };
    const form = issueForm(terms);
    expect(form.status?.round?.changes?.some(({ to }) => to === 'payments-admin')).toBe(false);
    for (const text of [reviewText(form, reading), summaryText(form)]) {
      const { allowed } = terms.originPolicy;
      const names = terms.productRefs.map(({ name }) => name);
      const missing = [...allowed, ...terms.cidrs, ...names].filter(
        (entry) => !text.includes(`| ${entry}\n`),
      );
      expect(missing).toEqual([]);
    }
  });

  test('shows the end of a long site, and what a site in letters of another script is sent as', () => {
    const long = `https://www.example.com/${'a'.repeat(300)}/admin`;
    const lookalike = 'https://www.visitse\u043eul.net';
    const form = issueForm({ originPolicy: { allowed: [long, lookalike] } });
    const text = reviewText(form, reading);
    expect(text.replace(/\n +\| /g, '')).toContain(long);
    expect(text).toContain(`${lookalike} (www.xn--visitseul-62h.net)`);
  });

  test('shows no list twice where the changes say all of it', () => {
    const form = issueForm({ productRefs: [{ name: 'maps' }] });
    expect(reviewText(form, reading)).not.toContain('All that is asked for');
  });
});

function numbered(count: number, text: (n: number) => string): readonly string[] {
  return Array.from({ length: count }, (_, n) => text(n));
}

/** A first round as the operator opens it for these terms. */
function issueForm(terms: TermsSpec) {
  const changes = changesBetween(undefined, {
    storeRef: { kind: 'ClusterKeyStore', name: 'default', uid: 'u-3' },
    client: { name: 'checkout', uid: 'u-4' },
    format: 'Opaque',
    apiKeyName: 'payments',
    terms,
  });
  const round = { number: 1, type: 'Issue', requestHash: HASH, changes };
  return changeForm({ spec: { terms }, status: { round, grant: undefined } });
}
