import { describe, expect, test } from 'vitest';
import { applicationDraft, filedBy, parseStore } from '../../../src/cli/application.ts';

const at = { namespace: 'shop', name: 'payments' };

describe('a form out of flags', () => {
  test('has what was said and nothing else', () => {
    expect(applicationDraft(at, {})).toEqual({
      apiVersion: 'keyward.dev/v1alpha1',
      kind: 'ApiKeyApplication',
      metadata: { name: 'payments', namespace: 'shop' },
      spec: {},
    });
    expect(
      applicationDraft(at, {
        draft: true,
        client: 'checkout',
        store: 'KeyStore/eu',
        format: 'Dual',
        serviceName: 'Shop',
        contactEmail: 'jin@example.com',
        product: ['a,b', 'c'],
        origin: ['https://a.example'],
        quota: '-1',
        from: '2027-01-01',
        until: '2027-02-01T00:00:00Z',
        timeZone: 'Asia/Seoul',
        onBehalfOf: 'jin',
      }).spec,
    ).toEqual({
      submission: 'Draft',
      clientRef: { name: 'checkout' },
      storeRef: { kind: 'KeyStore', name: 'eu' },
      format: 'Dual',
      service: { name: 'Shop' },
      contact: { email: 'jin@example.com' },
      terms: {
        validity: {
          effectiveDate: '2027-01-01',
          expirationTime: '2027-02-01T00:00:00Z',
          timeZone: 'Asia/Seoul',
        },
        quota: { requests: -1 },
        originPolicy: { allowed: ['https://a.example'] },
        productRefs: [{ name: 'a' }, { name: 'b' }, { name: 'c' }],
      },
      onBehalfOf: { username: 'jin' },
    });
  });

  test.each([
    [{ until: '2027-01-01', for: '3d' }, 'once'],
    [{ for: '3 weeks' }, '--for'],
    [{ from: '01.02.2027' }, '--from takes 2027-01-31'],
    [{ until: 'tomorrow' }, '--until takes 2027-01-31'],
    [{ quota: 'many' }, 'quota'],
    [{ format: 'Quad' }, 'Opaque'],
    [{ store: 'Vault/x' }, 'ClusterKeyStore'],
  ])('refuses %j, saying what it takes', (flags, words) => {
    expect(() => applicationDraft(at, flags)).toThrow(words);
  });

  test('names its applicant as admission does', () => {
    const { metadata } = filedBy(applicationDraft(at, {}), 'jin@example.com');
    expect(metadata.annotations).toEqual({ 'keyward.dev/applicant': 'jin@example.com' });
  });

  test('means a ClusterKeyStore by a bare name', () => {
    expect(parseStore('default')).toEqual({ kind: 'ClusterKeyStore', name: 'default' });
  });
});
