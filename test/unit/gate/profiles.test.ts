import { describe, expect, it } from 'vitest';
import { errorAnswer } from '../../../src/gate/profiles.ts';
import type { StoreProfile } from '../../../src/ledger/documents.ts';
import { REFUSALS, type Refusal, type RefusalCause } from '../../../src/terms/refusals.ts';

const NOW_MS = Date.parse('2026-01-02T03:04:05.678Z');
const PROFILES = ['Keyward', 'VisitSeoul', 'Naver', 'Solapi', 'DigiRunner'] as const;
const ALL: readonly Refusal[] = Object.values(REFUSALS);

function read(profile: StoreProfile, refusal: Refusal, target = '/v1/x?apiKey=k') {
  const { status, contentType, body } = errorAnswer(profile, refusal, target, NOW_MS);
  expect(contentType).toBe('application/json');
  return { status, content: JSON.parse(body) as Record<string, unknown> };
}

describe('an error in the shape of Keyward and Visit Seoul', () => {
  it.each(ALL)('says $reason for $cause', (refusal) => {
    const { status, reason, text } = refusal;
    expect(read('Keyward', refusal)).toEqual({ status, content: { reason, message: text } });
    expect(read('VisitSeoul', refusal)).toEqual({
      status,
      content: { result_code: status, result_message: text },
    });
  });
});

describe('an error in the shape of a vendor', () => {
  it.each<[RefusalCause, string, string, string]>([
    ['NoKey', '401/200', '403 InvalidAPIKey', '401 Unauthorized'],
    ['AmbiguousKey', '401/200', '403 SignatureDoesNotMatch', '401 Unauthorized'],
    ['MalformedKey', '401/200', '403 InvalidAPIKey', '401 Unauthorized'],
    ['UnknownKey', '401/200', '403 InvalidAPIKey', '401 Unauthorized'],
    ['WrongSecret', '401/200', '403 InvalidAPIKey', '401 Unauthorized'],
    ['WrongSignature', '401/200', '403 InvalidAPIKey', '401 Unauthorized'],
    ['KeyRevoked', '401/210', '403 InvalidAPIKey', '401 Unauthorized'],
    ['ValueReplaced', '401/210', '403 InvalidAPIKey', '401 Unauthorized'],
    ['KeySuspended', '401/210', '403 InvalidAPIKey', '401 Unauthorized'],
    ['ClientSuspended', '401/210', '403 InvalidAPIKey', '401 Unauthorized'],
    ['NotYetEffective', '401/210', '403 InvalidAPIKey', '401 Unauthorized'],
    ['Expired', '401/210', '403 InvalidAPIKey', '401 Unauthorized'],
    ['OriginMissing', '403/230', '403 OriginMissing', '403 Forbidden'],
    ['OriginNotAllowed', '403/230', '403 OriginNotAllowed', '403 Forbidden'],
    ['AddressNotAllowed', '403/230', '403 IPNotAllowed', '403 Forbidden'],
    ['ProductNotAllowed', '403/230', '403 ApiNotAllowed', '403 Forbidden'],
    ['ProductRetired', '403/230', '403 ApiNotAllowed', '403 Forbidden'],
    ['Unlisted', '403/230', '403 ApiNotAllowed', '403 Forbidden'],
    ['TargetDoubtful', '403/230', '403 ApiNotAllowed', '403 Forbidden'],
    ['HeaderNotAllowed', '403/230', '403 HeaderNotAllowed', '403 Forbidden'],
    ['TimeTooSkewed', '403/230', '403 RequestTimeTooSkewed', '403 Forbidden'],
    ['SignatureReplayed', '403/230', '403 DuplicatedSignature', '403 Forbidden'],
    ['QuotaUsedUp', '429/400', '429 QuotaExceeded', '401 Unauthorized'],
    ['RateLimited', '429/420', '429 RateLimited', '401 Unauthorized'],
    ['QuotaUnknown', '503/500', '503 InternalError', '503 Service Unavailable'],
    ['ReplayUnknown', '503/500', '503 InternalError', '503 Service Unavailable'],
    ['StateUnknown', '503/500', '503 InternalError', '503 Service Unavailable'],
  ])('for %s is NAVER %s, SOLAPI %s (R84), digiRunner %s', (cause, naver, solapi, digiRunner) => {
    const refusal = REFUSALS[cause];
    const atNaver = read('Naver', refusal);
    const error = atNaver.content['error'] as Record<string, string>;
    expect(Object.keys(error)).toEqual(['errorCode', 'message', 'details']);
    expect(`${atNaver.status}/${error['errorCode']}`).toBe(naver);
    const atSolapi = read('Solapi', refusal);
    expect(Object.keys(atSolapi.content)).toEqual(['errorCode', 'errorMessage']);
    expect(`${atSolapi.status} ${String(atSolapi.content['errorCode'])}`).toBe(solapi);
    const { status, content } = read('DigiRunner', refusal);
    expect(Object.keys(content)).toEqual(['timestamp', 'status', 'error', 'message', 'path']);
    expect(content).toMatchObject({
      timestamp: '2026-01-02T03:04:05.678Z',
      status,
      message: refusal.text,
      path: '/v1/x',
    });
    expect(`${status} ${String(content['error'])}`).toBe(digiRunner);
  });
});

describe('every error', () => {
  const target = '/v1/x';

  it.each(PROFILES)('of %s tells apart no more than the reasons do', (profile) => {
    const bodies = new Map<string, Set<string>>();
    for (const refusal of ALL) {
      // Neither of these two depends on whether a key exists.
      if (refusal.cause === 'AmbiguousKey' || refusal.cause === 'NoKey') continue;
      const { status, body } = errorAnswer(profile, refusal, target, NOW_MS);
      const known = bodies.get(refusal.reason) ?? new Set();
      bodies.set(refusal.reason, known.add(`${status} ${body}`));
    }
    expect([...bodies].filter(([, different]) => different.size > 1)).toEqual([]);
  });

  it.each(PROFILES)(
    'of %s is no success, and text in ASCII without anything of the query',
    (profile) => {
      for (const refusal of ALL) {
        const odd = '/v1/<script>"\u00e9?apiKey=secret';
        const { status, body } = errorAnswer(profile, refusal, odd, NOW_MS);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(body).toMatch(/^[\x20-\x7e]+$/);
        expect(body).not.toMatch(/secret|script/);
      }
    },
  );

  it("but digiRunner's is made once", () => {
    for (const profile of PROFILES.slice(0, -1)) {
      for (const refusal of ALL) {
        const first = errorAnswer(profile, refusal, '/a', 0);
        expect(errorAnswer(profile, refusal, '/b', 1)).toBe(first);
      }
    }
  });

  it('covers refusals that are not of the table', () => {
    const own: Refusal = { type: 'Refused', cause: 'New', reason: 'New', status: 403, text: 'new' };
    for (const profile of PROFILES) expect(read(profile, own).status).toBe(403);
  });
});
