import { describe, expect, test } from 'vitest';
import { REFUSALS } from '../../../../src/terms/refusals.ts';
import { startGate } from './rawgate.ts';

const KEY = 'kw_4fJ2mXq0ZpT7aBc9_secret';
const QUESTION = JSON.stringify({ credential: { value: KEY }, host: 'api.example.com' });

type Gate = Awaited<ReturnType<typeof startGate>>;

async function ask(gate: Gate, init: RequestInit = {}) {
  const response = await fetch(`http://${gate.address}/v1/verify`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: QUESTION,
    ...init,
  });
  const text = await response.text();
  return { status: response.status, text, headers: response.headers };
}

describe('POST /v1/verify', () => {
  test('answers 200 to a yes and to a no, for nobody to keep', async () => {
    await using gate = await startGate();
    const yes = await ask(gate);
    expect(yes.status).toBe(200);
    expect(JSON.parse(yes.text)).toMatchObject({ allowed: true, caller: { name: 'checkout' } });
    expect(yes.headers.get('cache-control')).toBe('no-store');
    gate.decider.decideNow = async () => ({
      type: 'Refused',
      refusal: REFUSALS.QuotaUsedUp,
      profile: 'Keyward',
    });
    const no = await ask(gate);
    expect(no.status).toBe(200);
    expect(JSON.parse(no.text)).toMatchObject({ allowed: false, reason: 'QuotaExceeded' });
  });

  test('says no where deciding fails', async () => {
    await using gate = await startGate();
    gate.decider.decideNow = () => {
      throw new Error('broken');
    };
    expect(JSON.parse((await ask(gate)).text)).toMatchObject({
      allowed: false,
      reason: 'Unavailable',
    });
    gate.decider.decideNow = () => Promise.reject(new Error('broken'));
    expect(JSON.parse((await ask(gate)).text)).toMatchObject({
      allowed: false,
      reason: 'Unavailable',
    });
  });

  test.each<[string, RequestInit, number, string]>([
    ['another method', { method: 'PUT' }, 405, 'only POST'],
    ['no type', { headers: {} }, 415, 'Content-Type must be application/json'],
    [
      'a form',
      { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      415,
      'Content-Type must be application/json',
    ],
    [
      'another character set',
      { headers: { 'Content-Type': 'application/json; charset=utf-16' } },
      415,
      'Content-Type must be application/json',
    ],
    [
      'compression',
      { headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' } },
      415,
      'the body must not be compressed',
    ],
    ['text that is no UTF-8', { body: Uint8Array.of(0x7b, 0xff) }, 400, 'the body must be UTF-8'],
    ['a byte order mark', { body: `\ufeff${QUESTION}` }, 400, 'the body must be JSON'],
    [
      'a wrong field',
      { body: '{"credential":{"value":1}}' },
      400,
      'credential.value must be a string',
    ],
    [
      'a body of more than 64 KiB',
      { body: `${' '.repeat(65_536)}${QUESTION}` },
      413,
      'the body is longer than 64 KiB',
    ],
  ])('refuses %s before anybody decides', async (_, init, status, message) => {
    await using gate = await startGate();
    const answer = await ask(gate, init);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toEqual({ reason: 'InvalidRequest', message });
    expect(gate.decider.calls).toEqual([]);
  });

  test('takes a body of up to 64 KiB, and a type that says UTF-8', async () => {
    await using gate = await startGate();
    const body = QUESTION.padEnd(65_536);
    const headers = { 'Content-Type': 'application/json; charset=UTF-8' };
    expect((await ask(gate, { body, headers })).status).toBe(200);
  });
});
