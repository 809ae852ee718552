/** Questions to the gate, as nginx asks them, over connections that are kept. */
import { Agent, request } from 'node:http';
import { SECOND_MS } from '../../src/kernel/time.ts';

/** A value, and whether it is to be let in. */
export type Shown = { readonly value: string; readonly isGood: boolean };

type Answer = { readonly status: number; readonly reason: string };
const NONE: Answer = { status: 0, reason: 'no answer' };

/** Asks the gate at this port of the loopback address. */
export class Caller {
  readonly #port: number;
  #agent = anAgent();
  readonly #wrong: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  get asked(): number {
    return this.#asked;
  }

  /** Answers to steady questions that were not what they had to be. */
  get wrong(): readonly string[] {
    return this.#wrong;
  }

  /** The status; 0 when there was no answer. */
  async ask(value: string): Promise<number> {
    return (await this.#answer(value)).status;
  }

  #answer(value: string): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const headers = {
      authorization: `Bearer ${value}`,
      'x-original-method': 'GET',
      'x-original-uri': '/v1/hello?page=1',
      'x-original-host': 'api.example',
      'x-real-ip': '192.0.2.7',
      origin: 'https://www.example.com',
    };
    request({
      port: this.#port,
      host: '127.0.0.1',
      path: '/auth/nginx',
      agent: this.#agent,
      headers,
    })
      .once('response', (res) => {
        res.resume();
        const reason = String(res.headers['x-keyward-reason'] ?? '');
        res.once('end', () => resolve({ status: res.statusCode ?? 0, reason }));
        res.once('error', () => resolve(NONE));
      })
      .once('error', () => resolve(NONE))
      .end();
    return promise;
  }

  /** Asks about these in turn, so many times a second, until `stop`. */
  start(shown: readonly Shown[], perSecond: number): void {
    let due = 0;
    let next = 0;
    this.#timer = setInterval(() => {
      for (due += (perSecond * BEAT_MS) / SECOND_MS; due >= 1; due -= 1) {
        const one = shown[next % shown.length];
        next += 1;
        if (one !== undefined) this.#track(this.#check(one));
      }
    }, BEAT_MS);
  }

  /** Lets the connections go, once the last answers are there: who hangs up first has none. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
    this.#agent = anAgent();
  }

  #track(check: Promise<void>): void {
    this.#underWay.add(check);
    void check.finally(() => this.#underWay.delete(check));
  }

  async #check({ value, isGood }: Shown): Promise<void> {
    this.#asked += 1;
    const { status, reason } = await this.#answer(value);
    if ((status === 204) === isGood) return;
    const at = new Date().toISOString();
    this.#wrong.push(`${isGood ? 'a good' : 'a bad'} value: ${status} ${reason} at ${at}`);
  }
}

const BEAT_MS = 20;

function anAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 16 });
}
