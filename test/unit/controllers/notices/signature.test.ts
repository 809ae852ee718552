import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseSecrets, signatureHeaders } from '../../../../src/controllers/notices/signature.ts';
import { Sensitive } from '../../../../src/kernel/sensitive.ts';

test('headers are those of the example in the specification of Standard Webhooks', () => {
  const secrets = parseSecrets('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  const headers = signatureHeaders(secrets, {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    atMs: 1_614_265_330_000,
    body: '{"test": 2432232314}',
  });
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('while a secret is exchanged each notice is signed with both', () => {
  const lines = [32, 24].map((length) => `whsec_${Buffer.alloc(length, 7).toString('base64')}`);
  const secrets = parseSecrets(`${lines.join('\n')}\n`);
  const headers = signatureHeaders(secrets, { id: 'a', atMs: 0, body: 'b' });
  const expected = [32, 24].map((length) => {
    const hmac = createHmac('sha256', Buffer.alloc(length, 7));
    return `v1,${hmac.update('a.0.b').digest('base64')}`;
  });
  expect(headers['webhook-signature']).toBe(expected.join(' '));
});

test.each([
  ['an empty file', ''],
  ['another prefix', `sec_${Buffer.alloc(32).toString('base64')}`],
  ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
  ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
  ['no Base64', `whsec_${'*'.repeat(43)}`],
])('a secret that is %s is refused without being shown', (_, text) => {
  expect(() => parseSecrets(text)).toThrow(
    expect.objectContaining({ reason: 'WebhookSecretInvalid' }),
  );
  if (text === '') return;
  expect(() => parseSecrets(text)).not.toThrow(text);
});

test('secrets print as masks', () => {
  const [secret] = parseSecrets(`whsec_${Buffer.alloc(32, 1).toString('base64')}`);
  expect(secret).toBeInstanceOf(Sensitive);
  expect(JSON.stringify({ secret })).not.toContain('AQEB');
});
