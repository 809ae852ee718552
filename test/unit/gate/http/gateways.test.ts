import { describe, expect, test } from 'vitest';
import { errorAnswer } from '../../../../src/gate/profiles.ts';
import { REFUSALS, type RefusalCause } from '../../../../src/terms/refusals.ts';
import { ALLOWED, READING, nginxRequest, request, sendRaw, startGate } from './rawgate.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';

describe('nginx', () => {
  test('describes the call in four headers, and a yes is 204 with the caller and no body', async () => {
    await using gate = await startGate();
    const { text, closed } = await sendRaw(
      gate.port,
      nginxRequest(
        'X-Original-Host: shop.example.com',
        'X-Real-IP: 192.0.2.1',
        `X-API-Key: ${KEY}`,
      ),
    );
    expect(text.split('\r\n')).toEqual([
      'HTTP/1.1 204 No Content',
      'X-Keyward-Key-Id: 4fJ2mXq0ZpT7aBc9',
      'X-Keyward-Namespace: shop',
      'Connection: keep-alive',
      'Keep-Alive: timeout=75',
      '',
      '',
    ]);
    expect(closed).toBe(false);
    expect(gate.decider.calls).toMatchObject([
      {
        credential: { type: 'Value', value: KEY },
        method: 'GET',
        host: 'shop.example.com',
        target: '/v1/orders',
        address: '192.0.2.1',
        isSpoofed: false,
      },
    ]);
  });

  test('gets 401 and 403 only, whatever the refusal, and never a body', async () => {
    await using gate = await startGate();
    for (const cause of Object.keys(REFUSALS) as RefusalCause[]) {
      const refusal = REFUSALS[cause];
      gate.decider.decideNow = () => ({ type: 'Refused', refusal, profile: 'Keyward' });
      const { text, statuses } = await sendRaw(gate.port, nginxRequest());
      expect(statuses).toEqual([refusal.status === 401 ? 401 : 403]);
      expect(text).toContain(`X-Keyward-Reason: ${refusal.reason}\r\n`);
      expect(text).toContain('Content-Length: 0\r\n');
      expect(text.endsWith('\r\n\r\n')).toBe(true);
    }
  });

  test('gets 401 and 403 only for the errors of other systems, too', async () => {
    await using gate = await startGate();
    for (const profile of ['VisitSeoul', 'Naver', 'Solapi', 'DigiRunner'] as const) {
      for (const cause of Object.keys(REFUSALS) as RefusalCause[]) {
        const refusal = REFUSALS[cause];
        gate.decider.decideNow = () => ({ type: 'Refused', refusal, profile });
        const { statuses } = await sendRaw(gate.port, nginxRequest());
        expect([401, 403]).toContain(statuses[0]);
      }
    }
  });

  test('is told how many uses are left', async () => {
    await using gate = await startGate();
    gate.decider.decideNow = () => ({ ...ALLOWED, quotaRemaining: 0 });
    const { text } = await sendRaw(gate.port, nginxRequest());
    expect(text).toContain('X-Keyward-Quota-Remaining: 0\r\n');
  });
});

test('every gateway is told when a quota begins anew, and nobody of one that never does', async () => {
  await using gate = await startGate();
  const no = { type: 'Refused', refusal: REFUSALS.QuotaUsedUp, profile: 'Keyward' } as const;
  const paths = ['/auth/nginx', '/auth/haproxy', '/auth/forward', '/auth/envoy/v1'];
  for (const path of paths) {
    const asked = request([`GET ${path} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${KEY}`]);
    for (const retryAfterSeconds of [61, 7]) {
      gate.decider.decideNow = () => ({ ...no, retryAfterSeconds });
      const { text } = await sendRaw(gate.port, asked);
      expect(text).toContain(`\r\nRetry-After: ${retryAfterSeconds}\r\n`);
    }
    gate.decider.decideNow = () => no;
    expect((await sendRaw(gate.port, asked)).text).not.toContain('Retry-After');
  }
});

describe('forward authentication', () => {
  test.each(['/auth/forward', '/auth/haproxy'])(
    'reads the X-Forwarded headers at %s',
    async (path) => {
      await using gate = await startGate();
      const { statuses } = await sendRaw(
        gate.port,
        request([
          `GET ${path} HTTP/1.1`,
          'Host: gate:8080',
          'X-Forwarded-Method: POST',
          'X-Forwarded-Host: api.example.com:8443',
          'X-Forwarded-Uri: /v1/orders?page=2',
          'X-Forwarded-For: 203.0.113.9, 192.0.2.1',
          'X-Forwarded-Proto: https',
          `Authorization: Bearer ${KEY}`,
        ]),
      );
      expect(statuses).toEqual([200]);
      expect(gate.decider.calls).toMatchObject([
        {
          credential: { type: 'Value', value: KEY },
          method: 'POST',
          host: 'api.example.com:8443',
          target: '/v1/orders?page=2',
          address: '192.0.2.1',
        },
      ]);
    },
  );

  test.each(['/auth/forward', '/auth/envoy/v1'])(
    'gets at %s an error body of the shape that the caller knows',
    async (path) => {
      await using gate = await startGate();
      const bytes = request([
        `GET ${path} HTTP/1.1`,
        'Host: gate',
        'X-Forwarded-Uri: /v1/orders?secret=1',
      ]);
      for (const profile of ['Keyward', 'VisitSeoul', 'Naver', 'Solapi', 'DigiRunner'] as const) {
        gate.decider.decideNow = () => ({ type: 'Refused', refusal: REFUSALS.UnknownKey, profile });
        const { statuses, text } = await sendRaw(gate.port, bytes);
        const target = path === '/auth/forward' ? '/v1/orders' : '/v1';
        const expected = errorAnswer(profile, REFUSALS.UnknownKey, target, 0);
        const body = text.split('\r\n\r\n')[1] ?? '';
        expect(statuses).toEqual([expected.status]);
        expect({ ...JSON.parse(body), timestamp: '' }).toEqual({
          ...JSON.parse(expected.body),
          timestamp: '',
        });
        expect(text).toContain('Content-Type: application/json\r\n');
        expect(text).toContain(`Content-Length: ${body.length}\r\n`);
        expect(text).not.toContain('secret');
      }
    },
  );

  test('gets no body at the path of HAProxy, which takes status and reason', async () => {
    await using gate = await startGate();
    const bytes = request(['GET /auth/haproxy HTTP/1.1', 'Host: gate']);
    const { text } = await sendRaw(gate.port, bytes);
    expect(text).toContain('X-Keyward-Reason: InvalidKey\r\n');
    expect(text).toContain('Content-Length: 0\r\n');
  });

  test('gets each status as it is', async () => {
    await using gate = await startGate();
    for (const refusal of [
      REFUSALS.NoKey,
      REFUSALS.Unlisted,
      REFUSALS.QuotaUsedUp,
      REFUSALS.StateUnknown,
    ]) {
      gate.decider.decideNow = () => ({ type: 'Refused', refusal, profile: 'Keyward' });
      const { statuses } = await sendRaw(
        gate.port,
        request(['GET /auth/forward HTTP/1.1', 'Host: gate']),
      );
      expect(statuses).toEqual([refusal.status]);
    }
  });
});

describe('Envoy', () => {
  test('repeats the call behind the prefix', async () => {
    await using gate = await startGate();
    await sendRaw(
      gate.port,
      request([
        'DELETE /auth/envoy/v1/orders/7?force=1 HTTP/1.1',
        'Host: api.example.com',
        'X-Real-IP: 192.0.2.1',
        'X-Forwarded-For: 10.0.0.1',
        `Authorization: Bearer ${KEY}`,
      ]),
    );
    expect(gate.decider.calls).toMatchObject([
      {
        method: 'DELETE',
        host: 'api.example.com',
        target: '/v1/orders/7?force=1',
        address: '192.0.2.1',
      },
    ]);
  });
});

describe('the product of a route', () => {
  test.each(['/auth/nginx', '/auth/forward', '/auth/haproxy'])(
    'is said in the path that %s asks at',
    async (path) => {
      await using gate = await startGate();
      await sendRaw(gate.port, request([`GET ${path}?product=orders.v2 HTTP/1.1`, 'Host: a']));
      expect(gate.decider.calls).toMatchObject([{ product: 'orders.v2' }]);
    },
  );

  test.each(['', '%6f', 'orders&x=1', 'orders&product=b', 'Orders', 'o/..', 'a'.repeat(254)])(
    'is not "%s": there is no such path',
    async (product) => {
      await using gate = await startGate();
      const bytes = request([`GET /auth/nginx?product=${product} HTTP/1.1`, 'Host: a']);
      expect((await sendRaw(gate.port, bytes)).statuses).toEqual([404]);
      expect(gate.decider.calls).toEqual([]);
    },
  );
});

describe('a key in the query', () => {
  const reading = { ...READING, keyQuery: 'api_key' };
  const bytes = (path: string): string =>
    request([`GET ${path} HTTP/1.1`, 'Host: a', `X-Original-URI: /v1?a=1&api_key=${KEY}`]);

  test('reaches the decider as a key only, and comes back nowhere (L8)', async () => {
    await using gate = await startGate({ reading });
    gate.decider.decideNow = () => ({
      type: 'Refused',
      refusal: REFUSALS.UnknownKey,
      profile: 'DigiRunner',
    });
    const texts = [
      await sendRaw(gate.port, bytes('/auth/nginx')),
      await sendRaw(gate.port, bytes(`/auth/envoy/v1?a=1&api_key=${KEY}`)),
    ].map(({ text }) => text);
    for (const text of texts) expect(text).not.toContain(KEY);
    for (const { credential, ...rest } of gate.decider.calls) {
      expect(credential).toEqual({ type: 'Value', value: KEY });
      expect(rest.target).toBe('/v1?a=1');
      expect(JSON.stringify(rest)).not.toContain(KEY);
    }
  });
});

describe('a decision', () => {
  test('that fails is a no, at once or later', async () => {
    await using gate = await startGate();
    gate.decider.decideNow = () => {
      throw new Error('broken');
    };
    expect((await sendRaw(gate.port, nginxRequest())).statuses).toEqual([403]);
    gate.decider.decideNow = () => Promise.reject(new Error('broken'));
    expect((await sendRaw(gate.port, nginxRequest())).statuses).toEqual([403]);
  });
});
