/** `POST /v1/verify`: the gate for applications that ask themselves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from '../call.ts';
import type { Decider, Decision } from '../decision.ts';
import { FAILURE, type Answer } from './answers.ts';
import { readBody } from './body.ts';
import { isProblem, parseVerification, verificationAnswer } from './verification.ts';

/** Answers one request. Decisions are 200 either way: the application asks, it is not the one refused. */
export async function answerVerify(
  req: IncomingMessage,
  res: ServerResponse,
  decider: Decider,
): Promise<Answer | 'Gone'> {
  const wrong = findWrongHead(req);
  if (wrong !== undefined) return wrong;
  if (isAwaitingGo(req)) res.writeContinue();
  const body = await readBody(req);
  if (body === 'Gone') return 'Gone';
  if (body === 'TooLong') return problem(413, 'the body is longer than 64 KiB');
  const text = decodeUtf8(body);
  const call = text === undefined ? { problem: 'the body must be UTF-8' } : parseVerification(text);
  if (isProblem(call)) return problem(400, call.problem);
  return json(200, verificationAnswer(await ask(decider, call)));
}

/** Deciders never fail; should one, that is a no. */
async function ask(decider: Decider, call: Call): Promise<Decision> {
  try {
    return await decider.decide(call);
  } catch {
    return FAILURE;
  }
}

function findWrongHead(req: IncomingMessage): Answer | undefined {
  if (req.method !== 'POST') {
    const answer = problem(405, 'only POST');
    return { ...answer, headers: [...answer.headers, 'Allow', 'POST'] };
  }
  const type = req.headers['content-type'] ?? '';
  if (!/^application\/json *(; *charset="?utf-8"?)?$/i.test(type)) {
    return problem(415, 'Content-Type must be application/json');
  }
  return req.headers['content-encoding'] === undefined
    ? undefined
    : problem(415, 'the body must not be compressed');
}

function isAwaitingGo(req: IncomingMessage): boolean {
  return req.headers.expect !== undefined;
}

/** Without what was wrong in words of the client: that could hold a key. */
function problem(status: number, message: string): Answer {
  return json(status, JSON.stringify({ reason: 'InvalidRequest', message }));
}

function json(status: number, body: string): Answer {
  return {
    status,
    headers: [
      'Content-Type',
      'application/json',
      'Content-Length',
      String(Buffer.byteLength(body)),
      'Cache-Control',
      'no-store',
    ],
    body,
  };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
