import { describe, expect, test } from 'vitest';
import type { Resource } from '../../../src/api/meta.ts';
import { delegatedAdmission } from '../../../src/runtime/scrapeauth.ts';
import { FakeClock } from '../../support/clock.ts';

/** An API server that knows one token and who may read. */
class Server {
  readonly clock = new FakeClock();
  readonly questions: { readonly kind: string; readonly spec: unknown }[] = [];
  mayRead = true;
  isDown = false;
  readonly admit = delegatedAdmission(this, this.clock);

  async ask(resource: Resource, question: object): Promise<unknown> {
    // As the operator sends them.
    const { spec } = question as { spec: { token?: string } };
    this.questions.push({ kind: resource.kind, spec });
    if (this.isDown) throw new Error(`down while asked about ${spec.token}`);
    if (resource.kind === 'SubjectAccessReview') return { status: { allowed: this.mayRead } };
    return spec.token === 'good'
      ? { status: { authenticated: true, user: { username: 'prometheus', groups: ['g'] } } }
      : { status: { error: 'invalid' } };
  }
}

describe('who may scrape', () => {
  test('is whoever the API server knows and lets get /metrics', async () => {
    const server = new Server();
    expect(await server.admit('Bearer good')).toBe('Allowed');
    expect(server.questions).toEqual([
      { kind: 'TokenReview', spec: { token: 'good' } },
      {
        kind: 'SubjectAccessReview',
        spec: {
          user: 'prometheus',
          groups: ['g'],
          nonResourceAttributes: { path: '/metrics', verb: 'get' },
        },
      },
    ]);
  });

  test('is nobody without a token, with one that is unknown, or without the right', async () => {
    const server = new Server();
    const none = [
      undefined,
      '',
      'Basic Zm9v',
      'Bearer ',
      'Bearer a b',
      `Bearer ${'x'.repeat(9_000)}`,
    ];
    for (const header of none) expect(await server.admit(header)).toBe('Unauthenticated');
    expect(server.questions).toEqual([]);
    expect(await server.admit('Bearer bad')).toBe('Unauthenticated');
    server.mayRead = false;
    expect(await server.admit('Bearer good')).toBe('Forbidden');
  });

  test('is asked about once a minute, so a right that was taken away ends by then', async () => {
    const server = new Server();
    await Promise.all([server.admit('Bearer good'), server.admit('Bearer good')]);
    server.clock.advance(59_000);
    server.mayRead = false;
    expect(await server.admit('Bearer good')).toBe('Allowed');
    expect(server.questions).toHaveLength(2);
    server.clock.advance(1_000);
    expect(await server.admit('Bearer good')).toBe('Forbidden');
    server.mayRead = true;
    server.clock.advance(10_000);
    expect(await server.admit('Bearer good')).toBe('Allowed');
  });

  test('goes on for whoever may, however many tokens others try', async () => {
    const server = new Server();
    expect(await server.admit('Bearer good')).toBe('Allowed');
    const seen = new Set<string>();
    for (let second = 0; second < 180; second += 1) {
      server.clock.advance(1_000);
      for (let i = 0; i < 5; i += 1) await server.admit(`Bearer wrong-${second}-${i}`);
      if (second % 15 === 0) seen.add(await server.admit('Bearer good'));
    }
    expect([...seen]).toEqual(['Allowed']);
    server.mayRead = false;
    server.clock.advance(60_000);
    expect(await server.admit('Bearer good')).toBe('Forbidden');
  });

  test('is nobody while the API server cannot be asked, and that is not remembered', async () => {
    const server = new Server();
    server.isDown = true;
    expect(await server.admit('Bearer good')).toBe('Unavailable');
    server.isDown = false;
    expect(await server.admit('Bearer good')).toBe('Allowed');
  });

  test('does not load the API server, however many tokens somebody tries', async () => {
    const server = new Server();
    for (let n = 0; n < 200; n += 1) await server.admit(`Bearer tried-${n}`);
    expect(server.questions.length).toBeLessThanOrEqual(10);
    expect(await server.admit('Bearer tried-200')).toBe('TooMany');
    server.clock.advance(1_000);
    expect(await server.admit('Bearer good')).toBe('Allowed');
  });
});
