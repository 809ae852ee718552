import { describe, expect, test } from 'vitest';
import {
  admitEndpoint,
  parseEndpointHosts,
  type EndpointHosts,
} from '../../../src/stores/endpoints.ts';

function hosts(text: string): EndpointHosts {
  const parsed = parseEndpointHosts(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

function admit(url: string, listed = '', defaults: readonly string[] = ['api.example.com']) {
  return admitEndpoint({ type: 'Naver', endpoint: new URL(url), defaults }, hosts(listed));
}

describe('the list of hosts', () => {
  test.each([
    ['', {}],
    ['Naver=a.example', { Naver: ['a.example'] }],
    ['Naver=A.Example:443', { Naver: ['a.example'] }],
    ['Naver=a.example,b.example:8443', { Naver: ['a.example', 'b.example:8443'] }],
    ['Naver=a.example, Solapi=b.example ,', { Naver: ['a.example'], Solapi: ['b.example'] }],
    [
      'Naver=a.example,Solapi=b.example,Naver=c.example',
      { Naver: ['a.example', 'c.example'], Solapi: ['b.example'] },
    ],
    ['Naver=', { Naver: [] }],
    ['Naver=[::1]:8080', { Naver: ['[::1]:8080'] }],
    ['Naver=127.1:80', { Naver: ['127.0.0.1:80'] }],
  ])('%j is understood', (text, expected) => {
    expect(Object.fromEntries(hosts(text))).toEqual(expected);
  });

  test.each([
    'a.example',
    'naver=a.example',
    '=a.example',
    'Naver=https://a.example',
    'Naver=a.example/path',
    'Naver=user@a.example',
    'Naver=*.example',
    'Naver=a.example.',
    'Naver=a.example:99999',
    'Naver=a b',
    'Naver=a=b',
    `Naver=${'a'.repeat(300)}`,
    Array.from({ length: 101 }, (_, index) => `Naver=a${index}.example`).join(),
  ])('%j is refused', (text) => {
    expect(parseEndpointHosts(text)).toHaveProperty('problem');
  });
});

describe('an endpoint', () => {
  test.each([
    ['https://api.example.com', '', 'Public'],
    ['https://api.example.com:443/', '', 'Public'],
    ['https://API.example.com', '', 'Public'],
    ['https://api.example.com/api/v1', '', 'Public'],
    ['https://other.example:8443', 'Naver=other.example:8443', 'Public'],
    ['https://api.example.com', 'Solapi=b.example', 'Public'],
    ['http://localhost:8080', 'Naver=localhost:8080', 'Loopback'],
    ['http://127.0.0.1:8080', 'Naver=127.0.0.1:8080', 'Loopback'],
    ['http://[::1]:8080', 'Naver=[::1]:8080', 'Loopback'],
    ['https://localhost', 'Naver=localhost', 'Loopback'],
    ['http://fake.localhost:80', 'Naver=fake.localhost:80', 'Loopback'],
  ])('%s is allowed by %j', (url, listed, reach) => {
    expect(admit(url, listed)).toEqual({ origin: new URL(url), reach });
  });

  test.each([
    ['https://other.example', ''],
    ['https://api.example.com', 'Naver=other.example'],
    ['https://api.example.com', 'Naver='],
    ['https://api.example.com:8443', ''],
    ['https://api.example.com.', ''],
    ['https://xapi.example.com', ''],
    ['https://169.254.169.254', ''],
    ['https://kubernetes.default.svc', ''],
    ['http://localhost:8080', 'Naver=localhost'],
    ['http://localhost:8080', 'Naver=localhost:8081'],
    ['http://api.example.com', 'Naver=api.example.com:80'],
    ['http://169.254.169.254', 'Naver=169.254.169.254:80'],
    ['ftp://api.example.com', ''],
    ['file:///etc/passwd', ''],
    ['https://user:word@api.example.com', ''],
    ['https://api.example.com/?a=1', ''],
    ['https://api.example.com/#a', ''],
  ])('%s is refused by %j (R13)', (url, listed) => {
    expect(admit(url, listed)).toHaveProperty('problem');
  });

  test('that is refused says what to do', () => {
    expect(admit('https://other.example:8443')).toEqual({
      problem:
        'spec.naver.endpoint names the host other.example:8443, which the administrator of Keyward ' +
        'does not allow for stores of type Naver; use an allowed one, or have ' +
        '--endpoint-hosts Naver=other.example:8443 added',
    });
  });
});
