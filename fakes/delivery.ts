/** How an answer of a fake vendor reaches the caller, or does not. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Fault } from '../kit/fake.ts';
import { sleep, type Clock } from '../src/kernel/clock.ts';
import type { FakeAnswer } from './vendor.ts';

const CHUNK = Buffer.alloc(65_536, 0x78);
const JSON_TYPE = { 'content-type': 'application/json;charset=UTF-8' };

/** What a fault may ask of the call that it meets. */
export type Delivery = {
  readonly clock: Clock;
  /** Carries the call out; may be called twice. */
  handle(): Promise<FakeAnswer>;
  /** Texts that no caller may ever show. */
  secrets(): readonly string[];
};

/** Sends a complete answer; nothing when the connection is gone. */
export function send(res: ServerResponse, answer: FakeAnswer): void {
  if (res.destroyed) return;
  const body = bodyOf(answer);
  res.writeHead(answer.status, {
    ...(body.length === 0 ? {} : JSON_TYPE),
    'content-length': body.length,
    ...answer.headers,
  });
  res.end(body);
}

/** Answers as the fault says, or properly without one. */
export async function deliver(
  fault: Fault | undefined,
  res: ServerResponse,
  call: Delivery,
): Promise<void> {
  if (fault === undefined) return send(res, await call.handle());
  if (isDistortion(fault)) return await distort(fault, res, await call.handle());
  switch (fault.kind) {
    case 'Status':
      if (fault.handled === true) await call.handle();
      return send(res, fault);
    case 'Cut':
      return void res.destroy();
    case 'LostAnswer':
      await call.handle();
      return void res.destroy();
    case 'Late':
      res.destroy();
      call.clock.after(fault.ms, () => void call.handle().catch(() => undefined));
      return;
    case 'Hang':
      return await hang(fault, res, call);
    case 'Twice': {
      const answer = await call.handle();
      await call.handle();
      return send(res, answer);
    }
    case 'Redirect':
      return send(res, { status: 307, headers: { location: fault.location } });
    case 'EchoSecrets':
      return send(res, { status: fault.status, body: { message: call.secrets().join(' ') } });
  }
}

/** Faults of the answer's body: the call itself is always handled. */
type Distortion = Extract<
  Fault,
  { kind: 'Torn' | 'Huge' | 'NotJson' | 'DeepJson' | 'GzipBomb' | 'StrangeMembers' }
>;

const DISTORTIONS: ReadonlySet<Fault['kind']> = new Set<Distortion['kind']>([
  'Torn',
  'Huge',
  'NotJson',
  'DeepJson',
  'GzipBomb',
  'StrangeMembers',
]);

function isDistortion(fault: Fault): fault is Distortion {
  return DISTORTIONS.has(fault.kind);
}

async function distort(fault: Distortion, res: ServerResponse, answer: FakeAnswer): Promise<void> {
  switch (fault.kind) {
    case 'Torn':
      return await tear(res, answer);
    case 'Huge':
      return await flood(res, fault.bytes);
    case 'NotJson':
      return send(res, { status: 200, body: fault.body ?? '<html>this is no JSON</html>' });
    case 'DeepJson':
      return send(res, {
        status: 200,
        body: '['.repeat(fault.depth) + ']'.repeat(fault.depth),
      });
    case 'GzipBomb': {
      const bomb = gzipSync(Buffer.alloc(fault.bytes, 0x20));
      res.writeHead(200, {
        ...JSON_TYPE,
        'content-encoding': 'gzip',
        'content-length': bomb.length,
      });
      res.end(bomb);
      return;
    }
    case 'StrangeMembers':
      return send(res, { ...answer, body: withStrangeMembers(parsed(answer)) });
  }
}

async function hang(
  fault: Extract<Fault, { kind: 'Hang' }>,
  res: ServerResponse,
  call: Delivery,
): Promise<void> {
  const answer = fault.handled === true ? await call.handle() : undefined;
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  await sleep(call.clock, fault.ms, gone.signal).catch(() => undefined);
  if (answer === undefined) res.destroy();
  else send(res, answer);
}

/** The length promised is that of the whole body, so the caller can tell. */
async function tear(res: ServerResponse, answer: FakeAnswer): Promise<void> {
  const body = bodyOf(answer);
  const { promise, resolve } = Promise.withResolvers<void>();
  res.once('close', resolve);
  // One more than there is: an empty body can be torn as well, but 204 must not have any.
  res.writeHead(answer.status === 204 ? 200 : answer.status, {
    ...JSON_TYPE,
    'content-length': body.length + 1,
  });
  res.write(body.subarray(0, Math.ceil(body.length / 2)), () => res.destroy());
  await promise;
}

async function flood(res: ServerResponse, bytes: number): Promise<void> {
  res.on('error', () => undefined);
  res.writeHead(200, JSON_TYPE);
  res.write('"');
  for (let sent = 0; sent < bytes && !res.destroyed; sent += CHUNK.length) {
    // Only as fast as it is read, as a vendor's server would.
    // oxlint-disable-next-line no-await-in-loop
    if (!res.write(CHUNK)) await drained(res);
  }
  if (!res.destroyed) res.end('"');
}

async function drained(res: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  res.once('drain', resolve).once('close', resolve);
  await promise;
  res.off('drain', resolve).off('close', resolve);
}

const STRANGE = '"__proto__":{"strange":true},"constructor":{"strange":true},"strangeMember":[{}]';

/** As text: `__proto__` in an object literal would set the prototype instead of adding a member. */
function withStrangeMembers(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(withStrangeMembers).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const own = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${withStrangeMembers(member)}`,
  );
  return `{${[STRANGE, ...own].join(',')}}`;
}

function bodyOf({ body }: FakeAnswer): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'utf8');
}

function parsed(answer: FakeAnswer): unknown {
  return JSON.parse(bodyOf(answer).toString('utf8') || '{}');
}
