import { describe, expect, test } from 'vitest';
import { askRights } from '../../../../src/controllers/review/access.ts';
import {
  decideAttributes,
  formAuthorAttributes,
  probeOf,
  type Questions,
} from '../../../../src/controllers/review/rights.ts';

const DECIDE = decideAttributes(
  { type: 'Store', kind: 'KeyStore', name: 'desk' },
  { namespace: 'team', layer: 'security' },
);
const QUESTIONS: Questions = {
  subject: { user: 'bob', groups: ['reviewers'] },
  decide: DECIDE,
  probe: probeOf(DECIDE),
  author: formAuthorAttributes('team'),
};

type Spec = { readonly user: string; readonly resourceAttributes: { readonly verb: string } };

/** An API server that answers by verb; each question that it was asked is kept. */
function server(answer: (verb: string, spec: Spec) => unknown) {
  const asked: unknown[] = [];
  const ask = async (_: unknown, question: object) => {
    const { spec } = question as { readonly spec: Spec };
    asked.push(spec);
    return answer(spec.resourceAttributes.verb, spec);
  };
  return { asked, rights: () => askRights({ ask }, QUESTIONS, AbortSignal.timeout(1_000)) };
}

const said = (allowed: boolean, more: object = {}) => ({ status: { allowed, ...more } });

describe('the API server is asked', () => {
  test('about the reviewer with his groups, the store by name and the layer as subresource', async () => {
    const { asked, rights } = server((verb) => said(verb === 'approve'));
    expect(await rights()).toEqual({ mayDecide: true });
    expect(asked[0]).toEqual({
      user: 'bob',
      groups: ['reviewers'],
      resourceAttributes: {
        verb: 'approve',
        group: 'keyward.dev',
        resource: 'keystores',
        subresource: 'security',
        name: 'desk',
        namespace: 'team',
      },
    });
  });

  test('and a no is a no, also one that comes with a yes', async () => {
    expect(await server(() => said(false)).rights()).toEqual({ mayDecide: false });
    const both = server(() => said(true, { denied: true }));
    expect(await both.rights()).toEqual({ mayDecide: false });
  });

  test('and a right for all verbs is told with the words of the cluster, cut where they are long', async () => {
    const reason = `RBAC: allowed by ${'x'.repeat(1_000)}`;
    const { wildcard } = await server(() => said(true, { reason })).rights();
    expect(wildcard).toBe(reason.slice(0, 300));
  });

  test('and the first right of an author is named', async () => {
    const { rights } = server((verb) => said(verb === 'approve' || verb === 'impersonate'));
    expect((await rights()).mayAuthor).toBe('impersonate serviceaccounts in namespace team');
  });

  test.each([{}, { status: {} }, { status: { allowed: 'true' } }])(
    'and an answer that says nothing is no answer: %j',
    async (answer) => {
      await expect(server(() => answer).rights()).rejects.toMatchObject({
        class: 'Transient',
        reason: 'UnreadableAnswer',
      });
    },
  );
});
