/** What every gateway does with the gate's answers, each on the configuration that we ship. */
import { expect, test } from 'vitest';
import { Books } from '../../support/gate.books.ts';
import { describeBehind } from '../../support/gate.suite.ts';
import type { GatewayName } from '../../support/gate.site.ts';

const SITE = 'https://www.myservice.com';
const ALL: readonly GatewayName[] = ['nginx', 'envoy', 'envoy-grpc', 'caddy', 'haproxy'];

for (const gateway of ALL) {
  describeBehind(gateway, 'answers', (chain) => {
    test('the gate says no with 401, 403 or 429 and its reason, and yes with nothing but the caller', async () => {
      const { site, settle, show, front } = chain();
      const originPolicy = { allowed: ['www.myservice.com'] };
      const validity = { expirationTime: '2020-01-01T00:00:00Z' };
      const book = (name: string, wish: object) => site.books.key({ name, ...wish });
      const fine = await book('fine', { terms: { originPolicy, quota: { requests: 100 } } });
      const over = await book('over', { terms: { validity } });
      const off = await book('off', { state: 'Suspended' });
      const dead = await book('dead', { state: 'Revoked' });
      const used = await book('used', { terms: { quota: { requests: 1 } } });
      const daily = await book('daily', { terms: { quota: { requests: 1, period: 'Day' } } });
      const far = await book('far', { terms: { cidrs: ['203.0.113.0/24'] } });
      await settle();
      const values = [over, off, dead, far].map((key) => Books.valueOf(key));
      const letIn = await show(Books.valueOf(fine), SITE);
      expect(letIn.status).toBe(200);
      const [arrival] = site.api.arrivals;
      expect(arrival?.headers).toMatchObject({
        'x-keyward-key-id': [fine.keyId],
        'x-keyward-namespace': ['shop'],
        'x-keyward-name': ['fine'],
        'x-keyward-quota-remaining': ['99'],
      });
      const gateHeaders = Object.keys(arrival?.headers ?? {}).filter((name) =>
        name.startsWith('x-keyward'),
      );
      expect(gateHeaders).toHaveLength(4);
      const said = async (
        answer: Promise<{ status: number; headers: object }>,
      ): Promise<unknown> => {
        const { status, headers } = await answer;
        return [status, (headers as Readonly<Record<string, string>>)['x-keyward-reason']];
      };
      expect(await said(front.call())).toEqual([401, 'InvalidKey']);
      expect(await said(show(values[0] ?? ''))).toEqual([401, 'KeyExpired']);
      expect(await said(show(values[1] ?? ''))).toEqual([401, 'KeyDisabled']);
      expect(await said(show(values[2] ?? ''))).toEqual([401, 'KeyRevoked']);
      expect(await said(show(values[3] ?? ''))).toEqual([403, 'IPNotAllowed']);
      expect(await said(show(Books.valueOf(fine), 'https://evil.example'))).toEqual([
        403,
        'OriginNotAllowed',
      ]);
      const elsewhere = show(Books.valueOf(fine), SITE, { target: '/elsewhere' });
      expect(await said(elsewhere)).toEqual([403, 'ApiNotAllowed']);
      expect((await show(Books.valueOf(used))).status).toBe(200);
      const usedUp = await show(Books.valueOf(used));
      expect([usedUp.status, usedUp.headers['x-keyward-reason']]).toEqual([429, 'QuotaExceeded']);
      expect(usedUp.headers['retry-after']).toBeUndefined();
      expect((await show(Books.valueOf(daily))).status).toBe(200);
      const tomorrow = await show(Books.valueOf(daily));
      expect([tomorrow.status, tomorrow.headers['x-keyward-reason']]).toEqual([
        429,
        'QuotaExceeded',
      ]);
      const seconds = Number(tomorrow.headers['retry-after']);
      expect(seconds > 0 && seconds <= 86_400).toBe(true);
      expect(site.api.arrivals).toHaveLength(3);
    });

    test('what the API itself answers goes back as it is, refusals included', async () => {
      const { key, show } = chain();
      const value = Books.valueOf(await key({ name: 'straight' }));
      for (const status of [201, 401, 403, 404, 429, 500, 503]) {
        const answer = await show(value, undefined, { target: `/status/${status}` });
        expect(answer.status).toBe(status);
        expect(answer.headers['x-keyward-reason']).toBeUndefined();
        expect(answer.body).toContain(`/status/${status}`);
      }
    });

    test('methods and query reach the API as they were sent, the key in either header does not', async () => {
      const { site, key, front } = chain();
      const value = Books.valueOf(await key({ name: 'methods' }));
      for (const method of ['GET', 'DELETE', 'PATCH', 'OPTIONS']) {
        const headers = [`Authorization: Bearer ${value}`, 'Content-Length: 0'];
        const target = '/v1/a%20b?c=d&e=%2F';
        expect((await front.call({ method, target, headers })).status).toBe(200);
        const arrival = site.api.arrivals.at(-1);
        expect([arrival?.method, arrival?.target]).toEqual([method, target]);
        expect(arrival?.headers['authorization']).toBeUndefined();
      }
    });
  });
}
